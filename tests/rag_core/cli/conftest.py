"""What tests of commands share."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from rag_core.__main__ import main
from rag_core.adapters.documents import read_notes
from rag_core.adapters.embedders import load_embedder
from rag_core.domain import SentenceChunker, Tokenizer, UserId, authenticated
from tests.rag_core.cli.commands import Ran, Run
from tests.rag_core.cli.ingested_notes import store, written

NOTES = [
    {"id": "grace", "title": "On grace", "body": "Paul calls grace a gift that nobody can earn."},
    {"id": "storm", "title": "", "body": "Jesus slept in the boat during the storm."},
]


@pytest.fixture
def run(
    database_url: str,
    exported_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Runs a command in this process, over the shared database."""
    monkeypatch.setenv("RAG_DATABASE_URL", database_url)
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))

    def run(*arguments: str | Path) -> Ran:
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def stored(run: Run, user: UserId, tmp_path: Path) -> UserId:
    """A user who has two notes, on grace and on a storm."""
    assert run("ingest", written(tmp_path, NOTES), "--user", user).exit_code == 0
    return user


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest.fixture(scope="module")
def ingested(
    database_url: str,
    exported_model: Path,
    tokenizer: Tokenizer,
    tmp_path_factory: pytest.TempPathFactory,
) -> UserId:
    """A user who has the notes of `file`, stored as the command stores them."""
    user = authenticated(f"reader-{uuid4().hex[:16]}")
    embedder = load_embedder(str(exported_model), cache_dir=exported_model.parent)
    notes = read_notes(written(tmp_path_factory.mktemp("ingested")))
    ingest_notes = store(database_url, user, embedder, SentenceChunker(tokenizer), notes)
    asyncio.run(ingest_notes)
    return user
