"""`re-embed`: another model beside the one in use, killed and gone on with, there and back."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL

import psycopg
import pytest

from rag_core.domain import UserId
from rag_core.embedded import python_environment
from tests.rag_core.cli.commands import Run
from tests.rag_core.embedded.processes import eventually

NOTES = 300
QUESTION = "What does Paul call grace?"


def beside(url: str) -> int:
    """Number of vectors beside those in use."""
    with psycopg.connect(url) as connection:
        ((count,),) = connection.execute("SELECT count(*) FROM vectors_beside")
    return int(count)


@pytest.fixture
def stored(
    run: Run, own_database: str, user: UserId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> UserId:
    """Who has so many notes that embedding them takes a while, in a database of the test's own."""
    monkeypatch.setenv("RAG_DATABASE_URL", own_database)
    bodies = ["Paul calls grace a gift that nobody can earn."]
    bodies += [f"Talk {n} is of the storm and the boat." for n in range(1, NOTES)]
    file = tmp_path / "talks.jsonl"
    rows = [{"id": f"n{n}", "title": "", "body": body} for n, body in enumerate(bodies)]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert run("ingest", file, "--user", user).exit_code == 0
    return user


def test_a_killed_run_goes_on_where_it_was_and_the_switch_goes_both_ways(
    run: Run,
    stored: UserId,
    own_database: str,
    other_model: Path,
    exported_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _kill_at_its_first_vectors(other_model, own_database)
    assert 0 < beside(own_database) < NOTES
    ran = run("re-embed", "--to", other_model)
    assert ran.exit_code == 0, ran.err
    assert f"RAG_EMBEDDER_MODEL={other_model}" in ran.out
    assert beside(own_database) == NOTES
    for model in (other_model, exported_model, other_model):
        monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(model))
        assert "a gift" in run("ask", QUESTION, "--user", stored).out
    (old,) = [each.split()[0] for each in _listed(run) if not each.endswith("(in use)")]
    ran = run("re-embed", "--drop", old)
    assert ran.exit_code == 0, ran.err
    assert len(_listed(run)) == 1
    assert "a gift" in run("ask", QUESTION, "--user", stored).out
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))
    refused = run("ask", QUESTION, "--user", stored)
    assert refused.exit_code != 0
    assert "RAG_EMBEDDER_MODEL" in refused.err


def _listed(run: Run) -> list[str]:
    """A line for each embedder."""
    return run("re-embed").out.splitlines()[1:]


def _kill_at_its_first_vectors(model: Path, url: str) -> None:
    command = (sys.executable, "-m", "rag_core", "re-embed", "--to", str(model))
    with subprocess.Popen(command, env=python_environment(), stdout=DEVNULL) as process:
        try:
            asyncio.run(eventually(lambda: beside(url) > 0))
        finally:
            process.kill()


def test_what_cannot_be_put_beside_is_said(run: Run, exported_model: Path) -> None:
    for arguments, named in (
        (("--to", exported_model), "--to"),
        (("--drop", "0"), "--drop"),
        (("--to", "a", "--drop", "b"), "--drop"),
    ):
        ran = run("re-embed", *arguments)
        assert ran.exit_code == 2
        assert ran.err.splitlines()[-1].startswith(f"error: {named}: ")
