"""Another chunker cuts every note anew; another embedder is refused until all is embedded anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Tokenizer, UserId
from rag_core.errors import EmbedderMismatch
from rag_core.ingest import IngestReport
from tests.rag_core.library import (
    CountingEmbedder,
    OtherEmbedder,
    edited,
    epoch_of,
    half_written,
    ingest_over,
    library,
    long_note,
    note,
    stored_chunks,
)

if TYPE_CHECKING:
    from rag_core.domain import Matrix


async def test_another_chunker_cuts_every_note_anew(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    notes = [*library(3), long_note()]
    await ingest_over(database, tokenizer, chunk_tokens=60).run(user, notes)
    report = await ingest_over(database, tokenizer, chunk_tokens=120).run(user, notes)
    assert report.notes_written == 4
    assert report.chunks_written == len(await stored_chunks(database, user))
    assert report.chunks_embedded < report.chunks_written, "short notes are cut alike"
    assert await half_written(database, user) == []


async def test_another_embedder_is_refused_until_all_is_embedded_anew(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(user, library())
    epoch = await epoch_of(database, user)
    other = CountingEmbedder(OtherEmbedder())
    ingest = ingest_over(database, tokenizer, other)
    with pytest.raises(EmbedderMismatch, match="--re-embed"):
        await ingest.run(user, library())
    assert other.calls == 0
    assert await epoch_of(database, user) == epoch
    steps: list[int] = []
    report = await ingest.re_embed(user, progress=steps.append)
    assert (report.notes_written, report.chunks_embedded, sum(steps)) == (5, 5, 5)
    assert (await PostgresNotes(database).stored_notes(user)).embedder == other.digest
    assert await epoch_of(database, user) != epoch
    assert await ingest.run(user, library()) == IngestReport(5, 0, 0, 0)


async def test_a_note_that_changes_while_all_is_embedded_anew_is_not_overwritten(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    """An edit and a deletion come between reading the notes and writing their new chunks."""
    store = PostgresNotes(database)
    await ingest_over(database, tokenizer).run(
        user, [note("grace"), note("storm"), note("harvest")]
    )
    changed = edited(note("grace"), "gift", "present")

    class Interrupting(OtherEmbedder):
        begun = False

        async def embed(self, texts: Sequence[str]) -> Matrix:
            if not self.begun:
                self.begun = True
                await ingest_over(database, tokenizer).run(user, [changed])
                await store.delete(user, "storm")
            return await super().embed(texts)

    embedder = Interrupting()
    await ingest_over(database, tokenizer, embedder).re_embed(user)
    assert await store.read(user) == [changed, note("harvest")]
    assert (await store.stored_notes(user)).embedder == embedder.digest
    assert {row[0] for row in await stored_chunks(database, user)} == {"grace", "harvest"}
