"""What tests of commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_core.__main__ import main
from tests.rag_core.cli.commands import Ran, Run


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
