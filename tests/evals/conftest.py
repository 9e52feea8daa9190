"""A few of the golden questions for tests of what measures over all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.evals.golden_sample import write_sample


@pytest.fixture
def sample(
    tmp_path: Path, own_database: str, exported_model: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A small golden folder, and a store of its own to ask it in."""
    folder = write_sample(tmp_path / "golden")
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("RAG_DATABASE_URL", own_database)
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))
    return folder
