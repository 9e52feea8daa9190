"""`migrate`: it names the revision, and a database without it says what to do."""

from __future__ import annotations

import pytest

from tests.rag_core.cli.commands import Ran, Run


def test_migrate_names_the_revision(run: Run) -> None:
    assert run("migrate") == Ran(0, "the database is at revision 0014\n", "")


def test_a_database_that_is_not_migrated_says_what_to_do(
    run: Run, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_DATABASE_URL", empty_database)
    ran = run("ask", "--user", "ruth", "Why?")
    assert (ran.exit_code, "python -m rag_core migrate" in ran.err) == (3, True)
    assert run("migrate").exit_code == 0
    assert run("ask", "--user", "ruth", "Why?").exit_code == 2, "ruth has no notes yet"
