"""`list`, `show`, `export` and `delete`: a user's notes, seen, given back and gone."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from rag_core.domain import UserId
from tests.rag_core.cli.commands import Run, cited
from tests.rag_core.cli.ingested_notes import written

NOTES = [
    {
        "id": "grace",
        "title": "On grace",
        "date": "2026-05-03",
        "author": "Ruth",
        "tags": ["gift"],
        "verses": [["Eph", 2, 8, 9]],
        "body": "Paul calls grace a gift that nobody can earn.",
    },
    {"id": "storm", "title": "", "body": "Jesus slept in the boat during the storm."},
]
QUESTION = "What does Paul call grace?"


@pytest.fixture
def stored(run: Run, user: UserId, tmp_path: Path) -> UserId:
    """A user who has the notes."""
    assert run("ingest", written(tmp_path, NOTES), "--user", user).exit_code == 0
    return user


def test_notes_are_listed_and_one_is_shown_whole(
    run: Run, stored: UserId, other_user: UserId
) -> None:
    ran = run("list", "--user", stored)
    assert ran.out == "grace | On grace | 2026-05-03 | Ruth | gift\nstorm\n2 notes\n"
    assert [each["id"] for each in json.loads(run("list", "--user", stored, "--json").out)] == [
        "grace",
        "storm",
    ]
    shown = run("show", "grace", "--user", stored).out
    assert "title: On grace\nauthor: Ruth\ndate: 2026-05-03\ntags: gift\nverses: Eph 2:8-9" in shown
    assert shown.endswith("\n\nPaul calls grace a gift that nobody can earn.\n")
    assert json.loads(run("show", "grace", "--user", stored, "--json").out) == NOTES[0]
    for command in (("show", "grace"), ("list",), ("export",)):
        ran = run(*command, "--user", other_user)
        assert (ran.exit_code, ran.out) == (2, "")


def test_what_is_exported_makes_the_same_answers_again(
    run: Run, stored: UserId, other_user: UserId, tmp_path: Path
) -> None:
    out = tmp_path / "out" / "ruth.jsonl"
    ran = run("export", "--user", stored, "--out", out)
    assert ran.exit_code == 2
    assert "cannot be written: No such file or directory" in ran.err
    out.parent.mkdir()
    assert run("export", "--user", stored, "--out", out).exit_code == 0
    assert list(out.parent.iterdir()) == [out]
    assert list(map(json.loads, out.read_text().splitlines())) == NOTES
    assert run("ingest", out, "--user", other_user).exit_code == 0
    before, after = (
        json.loads(run("ask", "--json", QUESTION, "--user", owner).out)
        for owner in (stored, other_user)
    )
    assert before["citations"]
    assert (before["text"], before["citations"]) == (after["text"], after["citations"])


def test_a_deleted_note_is_no_longer_found(run: Run, file: Path, user: UserId) -> None:
    run("ingest", file, "--user", user)
    ran = run("delete", "grace", "--user", user)
    assert (ran.exit_code, ran.out) == (0, "note grace is deleted\n")
    ran = run("ask", "--json", "--user", user, "What does Paul call grace?")
    assert "grace" not in cited(ran)
    ran = run("delete", "grace", "--user", user)
    assert ran.exit_code == 2
    assert "has no note 'grace'" in ran.err


def test_after_delete_all_no_row_holds_what_the_user_wrote(
    run: Run, stored: UserId, database_url: str
) -> None:
    run("ask", QUESTION, "--user", stored)
    run("delete", "storm", "--user", stored)
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO feedback (user_id, id, digest, question, thumb, comment, note_ids)"
            " VALUES (%s, '1', '0', %s, 'up', 'a gift', '{grace}')",
            (stored, QUESTION),
        )
    assert "gift" in said_in_rows(database_url, stored)
    ran = run("delete", "--all", "--user", stored)
    assert (ran.exit_code, ran.out) == (0, f"2 notes of {stored} are gone for good\n")
    rows = said_in_rows(database_url, stored).lower()
    assert not [word for word in ("grace", "gift", "storm", "boat", "eph") if word in rows]
    assert "no notes are stored" in run("list", "--user", stored).err


def said_in_rows(database_url: str, user: UserId) -> str:
    """Every row of every table that has the user's id in it, as text."""
    tables = (
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND (column_name = 'user_id' OR (table_name, column_name)"
        " = ('users', 'id'))"
    )
    with psycopg.connect(database_url) as connection:
        found = [
            row
            for table, column in connection.execute(tables).fetchall()
            for row in connection.execute(
                psycopg.sql.SQL("SELECT t::text FROM {} AS t WHERE {} = %s").format(
                    psycopg.sql.Identifier(table), psycopg.sql.Identifier(column)
                ),
                (user,),
            ).fetchall()
        ]
    return "\n".join(text for (text,) in found)


@pytest.mark.parametrize("arguments", [(), ("grace", "--all")])
def test_one_note_is_deleted_or_all_are(
    run: Run, stored: UserId, arguments: tuple[str, ...]
) -> None:
    ran = run("delete", *arguments, "--user", stored)
    assert ran.exit_code == 2
    assert ran.err == "error: note: name one note, or --all. See delete --help\n"
    assert "2 notes" in run("list", "--user", stored).out
