"""Mistakes, wrong settings and absent servers: each has a clear message and an exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_core.domain import UserId
from tests.rag_core.cli.commands import Run, in_a_shell


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["ask", "--user", "USER", ""], 2, "question: is empty. Write what you want to know"),
        (["ask", "--user", "USER", "x" * 10_000], 2, "question: 10,000 characters"),
        (["ask", "--user", "nobody-at-all", "Why?"], 2, "user: no notes are stored for"),
        (["ask", "--user", "two words", "Why?"], 2, "user: 'two words' is not a user id"),
        (["ask", "--user", "", "Why?"], 2, "no user id"),
        (["ingest", "absent.jsonl", "--user", "USER"], 2, "absent.jsonl: is no file and no"),
        (["--env", "absent.env", "migrate"], 3, "--env: there is no file 'absent.env'"),
        (["ask", "Why?"], 2, "Missing option '--user'. See python -m rag_core ask --help"),
        (["index", "tree"], 2, "'tree' is not one of 'hnsw', 'none'"),
        (["purge", "--days", "-1"], 2, "Invalid value for '--days'"),
        (["anser", "Why?"], 2, "No such command 'anser'"),
        (["delete", "absent", "--user", "USER"], 2, "has no note 'absent'. Check user and id"),
        (["delete", "absent", "--user", "nobody-at-all"], 2, "'nobody-at-all' has no note"),
        ([], 2, "Missing command"),
    ],
)
def test_a_mistake_has_a_message_and_an_exit_code(
    run: Run, ingested: UserId, arguments: list[str], code: int, problem: str
) -> None:
    ran = run(*(ingested if argument == "USER" else argument for argument in arguments))
    assert ran.exit_code == code
    assert problem in ran.err
    assert ran.err.startswith("error: ")
    assert ran.err.count("\n") == 1
    assert ran.out == ""


@pytest.mark.parametrize(
    ("variable", "value", "code", "problem"),
    [
        ("RAG_DATABASE_URL", "postgresql://127.0.0.1:1/none", 4, "Postgres cannot be reached"),
        ("RAG_DATABASE_URL", "mysql://127.0.0.1/none", 3, "must begin with postgresql://"),
        ("RAG_TOP_K", "many", 3, "RAG_TOP_K: Input should be a valid integer"),
        ("RAG_TOPK", "3", 3, "Did you mean RAG_TOP_K?"),
        ("RAG_EMBEDDER_MODEL", "/no/such/model", 3, "RAG_EMBEDDER_MODEL"),
    ],
)
def test_a_wrong_setting_or_an_absent_server_is_named(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    code: int,
    problem: str,
) -> None:
    monkeypatch.setenv(variable, value)
    ran = run("ask", "Why?", "--user", "ruth")
    assert ran.exit_code == code, ran.err
    assert problem in ran.err
    assert ran.err.startswith("error: ")


def test_a_process_ends_with_the_exit_code_and_prints_no_traceback(tmp_path: Path) -> None:
    ran = in_a_shell(
        *("ask", "--user", "ruth", "Why?"),
        RAG_DATABASE_URL="postgresql://127.0.0.1:1/none",
        RAG_EMBEDDER_MODEL=str(tmp_path),
    )
    assert ran.exit_code == 3
    assert ran.err.startswith("error: RAG_EMBEDDER_MODEL")
    assert "Traceback" not in ran.err
