"""`ingest` of a file of notes: says what it did, and refuses before anything is stored."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from rag_core.domain import SentenceChunker, Tokenizer, UserId
from tests.rag_core.cli.commands import Run
from tests.rag_core.cli.ingested_notes import NOTES, store
from tests.rag_core.library import OtherEmbedder, note


def test_ingest_says_what_it_did_and_a_second_time_that_nothing_was_to_do(
    run: Run, file: Path, user: UserId
) -> None:
    first, second = run("ingest", file, "--user", user), run("ingest", file, "--user", user)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.out == "2 notes read, 2 written as 2 chunks, 2 of them embedded\n"
    assert second.out == "2 notes read, 0 written as 0 chunks, 0 of them embedded\n"


def test_notes_of_another_embedder_are_embedded_anew_on_request(
    run: Run, file: Path, user: UserId, database_url: str, tokenizer: Tokenizer
) -> None:
    notes = [note("grace")]
    asyncio.run(store(database_url, user, OtherEmbedder(), SentenceChunker(tokenizer), notes))
    for command in (("ask", "--user", user, "What is grace?"), ("ingest", file, "--user", user)):
        ran = run(*command)
        assert ran.exit_code == 3
        assert "--re-embed" in ran.err
    ran = run("ingest", file, "--user", user, "--re-embed")
    assert ran.exit_code == 0, ran.err
    ran = run("ask", "--json", "--user", user, "What does Paul call grace?")
    assert json.loads(ran.out)["citations"][0]["note_id"] == "grace"


GOOD = json.dumps(NOTES[0]).encode()
MALFORMED_FILES = {
    "bad JSON": (GOOD + b'\n{"id": ', "line 2: is not valid JSON"),
    "missing field": (b'{"id": "a", "title": "t"}', "line 1, field body: Object missing"),
    "wrong date": (GOOD.replace(b"2026-05-03", b"May 3rd"), "line 1, field date:"),
    "5 MB note": (GOOD.replace(b"Paul", b"P" * 5_000_000), "line 1, field body: has 5,000,0"),
    "empty": (b"", "holds no notes"),
}


@pytest.mark.parametrize(
    ("content", "problem"), MALFORMED_FILES.values(), ids=MALFORMED_FILES.keys()
)
def test_a_malformed_file_is_refused_before_anything_is_stored(
    run: Run, file: Path, user: UserId, content: bytes, problem: str
) -> None:
    file.write_bytes(content)
    ran = run("ingest", file, "--user", user)
    assert ran.exit_code == 2
    assert ran.err.startswith(f"error: {file}")
    assert problem in ran.err
    assert ran.err.count("\n") == 1
    ran = run("ask", "--user", user, "What is grace?")
    assert ran.exit_code == 2
    assert f"no notes are stored for '{user}'" in ran.err
