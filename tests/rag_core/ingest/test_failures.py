"""Whatever fails, notes stay whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Conflict, EmbeddedNote, SentenceChunker, Tokenizer, UserId
from rag_core.errors import InvalidInput, RagError
from rag_core.ingest import BATCH_CHUNKS, Ingest
from tests.rag_core.library import (
    CountingEmbedder,
    half_written,
    ingest_over,
    library,
    note,
    stored_chunks,
)


async def test_an_embedder_that_breaks_half_way_leaves_whole_notes_and_a_second_run_completes(
    database: Database, tokenizer: Tokenizer, user: UserId, other_user: UserId
) -> None:
    notes = library(3 * BATCH_CHUNKS)
    await ingest_over(database, tokenizer).run(other_user, notes)
    broken = CountingEmbedder(fail_after=2 * BATCH_CHUNKS)
    with pytest.raises(RagError, match="the embedder broke"):
        await ingest_over(database, tokenizer, broken).run(user, notes)
    stored = len(await PostgresNotes(database).read(user))
    assert 0 < stored < len(notes)
    assert await half_written(database, user) == []
    report = await ingest_over(database, tokenizer).run(user, notes)
    assert report.notes_written == len(notes) - stored
    assert await stored_chunks(database, user) == await stored_chunks(database, other_user)


async def test_a_database_that_fails_ends_the_ingest_with_its_error(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    """The error of a write comes out, even though the next batch is being embedded by then."""

    class Failing(PostgresNotes):
        async def replace(
            self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
        ) -> list[Conflict]:
            raise RagError("the disk is full")

    ingest = Ingest(
        store=Failing(database),
        embedder=HashingEmbedder(),
        chunker=SentenceChunker(tokenizer, 60, 10),
    )
    with pytest.raises(RagError, match="the disk is full"):
        await ingest.run(user, library(2 * BATCH_CHUNKS))
    assert await PostgresNotes(database).read(user) == []


async def test_a_note_that_cannot_be_stored_is_refused_before_anything_is_written(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    half_a_pair = replace(note("storm"), title="On \ud83d")
    with pytest.raises(InvalidInput, match=r"storm.*title"):
        await ingest_over(database, tokenizer).run(user, [note("grace"), half_a_pair])
    assert await PostgresNotes(database).read(user) == []
