"""Only what changed is embedded and written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import SentenceChunker, Tokenizer, UserId, count_chunk
from rag_core.ingest import Ingest, IngestReport
from tests.rag_core.library import (
    CountingEmbedder,
    edited,
    epoch_of,
    half_written,
    ingest_over,
    library,
    long_note,
    note,
    rows,
    stored_chunks,
)


async def test_every_note_is_stored_whole_with_the_vectors_of_its_chunks(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    notes = [*library(7), long_note()]
    chunks = [chunk for one in notes for chunk in SentenceChunker(tokenizer, 60, 10)(one)]
    steps: list[int] = []
    report = await ingest_over(database, tokenizer).run(user, notes, progress=steps.append)
    assert report == IngestReport(8, 8, len(chunks), len(chunks))
    assert sum(steps) == 8
    assert await PostgresNotes(database).read(user) == sorted(notes, key=lambda one: one.id)
    assert await half_written(database, user) == []
    kept = await PostgresNotes(database).vectors(user, [one.id for one in notes])
    expected = await HashingEmbedder().embed([chunk.embedded_text for chunk in chunks])
    for chunk, vector in zip(chunks, expected, strict=True):
        assert (kept[chunk.sha256] == vector).all()


async def test_what_a_chunk_takes_of_a_context_is_counted_and_stored(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    cut = SentenceChunker(tokenizer, 60, 10)
    ingest = Ingest(
        store=PostgresNotes(database),
        embedder=HashingEmbedder(),
        chunker=cut,
        tokenizer=tokenizer,
    )
    await ingest.run(user, [long_note()])
    stored = await rows(
        database,
        "SELECT tokens, tokens_of FROM chunks WHERE user_id = %s ORDER BY position",
        user,
    )
    chunks = [count_chunk(long_note(), chunk, tokenizer) for chunk in cut(long_note())]
    assert stored == [(chunk.cost.tokens, chunk.cost.of) for chunk in chunks if chunk.cost]
    assert len(stored) == len(chunks) > 3


async def test_a_second_run_embeds_nothing_writes_nothing_and_keeps_the_epoch(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(user, library())
    epoch = await epoch_of(database, user)
    versions = await rows(
        database, "SELECT xmin, ctid FROM chunk_vectors WHERE user_id = %s ORDER BY 2", user
    )
    embedder = CountingEmbedder()
    steps: list[int] = []
    report = await ingest_over(database, tokenizer, embedder).run(
        user, library(), progress=steps.append
    )
    assert report == IngestReport(5, 0, 0, 0)
    assert sum(steps) == 5
    assert embedder.calls == 0
    assert await epoch_of(database, user) == epoch
    assert versions == await rows(
        database, "SELECT xmin, ctid FROM chunk_vectors WHERE user_id = %s ORDER BY 2", user
    )


async def test_editing_one_note_embeds_only_the_chunks_that_changed(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    notes = [*library(), long_note()]
    await ingest_over(database, tokenizer).run(user, notes)
    epoch = await epoch_of(database, user)
    embedder = CountingEmbedder()
    notes[-1] = edited(long_note(), "number30 speaks", "number30 whispers")
    report = await ingest_over(database, tokenizer, embedder).run(user, notes)
    assert report.notes_written == 1
    assert report.chunks_written > 10
    assert 1 <= report.chunks_embedded <= 3, "the chunk and what overlaps with it"
    assert len(embedder.texts) == report.chunks_embedded
    assert all("number30 whispers" in text for text in embedder.texts)
    assert await epoch_of(database, user) != epoch
    (stored,) = [one for one in await PostgresNotes(database).read(user) if one.id == "long"]
    assert stored == notes[-1]


async def test_new_metadata_is_written_and_embeds_nothing(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(user, [note("grace"), note("storm")])
    before, epoch = await stored_chunks(database, user), await epoch_of(database, user)
    embedder = CountingEmbedder()
    dated = replace(note("grace"), date=date(2026, 5, 3), tags=("gift",))
    report = await ingest_over(database, tokenizer, embedder).run(user, [dated, note("storm")])
    assert (report.notes_written, report.chunks_embedded, embedder.calls) == (1, 0, 0)
    assert await PostgresNotes(database).read(user) == [dated, note("storm")]
    assert await stored_chunks(database, user) == before
    assert await epoch_of(database, user) != epoch


async def test_equal_chunks_are_embedded_once(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    embedder = CountingEmbedder()
    twins = [replace(note("grace"), id=name) for name in ("one", "two", "three")]
    report = await ingest_over(database, tokenizer, embedder).run(user, twins)
    assert (report.chunks_written, report.chunks_embedded, len(embedder.texts)) == (3, 1, 1)


async def test_notes_that_the_file_does_not_name_stay(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(user, [note("grace")])
    await ingest_over(database, tokenizer).run(user, [note("storm")])
    assert [one.id for one in await PostgresNotes(database).read(user)] == ["grace", "storm"]


async def test_a_deleted_note_comes_back_by_ingest(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(user, [note("grace"), note("storm")])
    before = await stored_chunks(database, user)
    await PostgresNotes(database).delete(user, "grace")
    report = await ingest_over(database, tokenizer).run(user, [note("grace"), note("storm")])
    assert report.notes_written == 1
    assert await stored_chunks(database, user) == before


async def test_what_one_user_ingests_changes_nothing_for_another(
    database: Database, tokenizer: Tokenizer, user: UserId, other_user: UserId
) -> None:
    await ingest_over(database, tokenizer).run(other_user, library())
    before, epoch = await stored_chunks(database, other_user), await epoch_of(database, other_user)
    await ingest_over(database, tokenizer).run(
        user, [edited(one, "ended", "closed") for one in library()]
    )
    assert await stored_chunks(database, other_user) == before
    assert await epoch_of(database, other_user) == epoch
