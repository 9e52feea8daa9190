"""What tests of commands share."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rag_core.__main__ import main
from rag_core.domain import UserId
from tests.rag_core.cli.commands import Ran, Run

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
    file = tmp_path / "notes.jsonl"
    file.write_text("\n".join(map(json.dumps, NOTES)), encoding="utf-8")
    assert run("ingest", file, "--user", user).exit_code == 0
    return user
