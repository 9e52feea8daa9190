"""Ingest: only what changed is embedded and written, and whatever happens, notes stay whole."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresEpochs, PostgresNotes
from rag_core.domain import (
    Chunk,
    Conflict,
    EmbeddedNote,
    Note,
    SentenceChunker,
    Tokenizer,
    UserId,
    count_chunk,
)
from rag_core.errors import EmbedderMismatch, InvalidInput, RagError
from rag_core.ingest import BATCH_CHUNKS, Ingest, IngestReport
from tests.rag_core.library import (
    CountingEmbedder,
    OtherEmbedder,
    edited,
    half_written,
    ingest_over,
    library,
    long_note,
    note,
    rows,
    stored_chunks,
)

if TYPE_CHECKING:
    from rag_core.domain import Matrix


async def epoch_of(database: Database, user: UserId) -> str | None:
    return (await PostgresEpochs(database)([user])).get(user)


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


class Meanwhile(CountingEmbedder):
    """Does something just before it embeds for the first time."""

    def __init__(self, action: Callable[[], Awaitable[object]]) -> None:
        super().__init__()
        self._action: Callable[[], Awaitable[object]] | None = action

    async def embed(self, texts: Sequence[str]) -> Matrix:
        action, self._action = self._action, None
        if action:
            await action()
        return await super().embed(texts)


@pytest.mark.parametrize("newer", [False, True])
async def test_a_running_ingest_undoes_no_deletion_and_overwrites_no_newer_edit(
    database: Database, tokenizer: Tokenizer, user: UserId, newer: bool
) -> None:
    """What changed meanwhile is skipped and named; unless the file is the newer one."""
    store = PostgresNotes(database)
    await ingest_over(database, tokenizer).run(user, [note("grace"), note("storm")])
    theirs = edited(note("grace"), "gift", "present")

    async def meanwhile() -> None:
        await ingest_over(database, tokenizer).run(user, [theirs])
        await store.delete(user, "storm")

    ours = [replace(note(topic), title="Ours") for topic in ("grace", "storm", "harvest")]
    as_of = datetime.now(UTC) + timedelta(hours=1 if newer else -1)
    ingest = ingest_over(database, tokenizer, Meanwhile(meanwhile))
    report = await ingest.run(user, ours, as_of=as_of)
    if newer:
        assert (report.notes_written, report.skipped) == (3, ())
        assert await store.read(user) == sorted(ours, key=lambda one: one.id)
    else:
        assert (report.notes_written, set(report.skipped)) == (1, {"grace", "storm"})
        assert await store.read(user) == [theirs, ours[2]]
    assert await half_written(database, user) == []


async def test_without_a_time_of_ones_own_what_others_changed_meanwhile_stands(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    theirs = edited(note("grace"), "gift", "present")

    async def meanwhile() -> None:
        await ingest_over(database, tokenizer).run(user, [theirs])

    report = await ingest_over(database, tokenizer, Meanwhile(meanwhile)).run(user, [note("grace")])
    assert report.skipped == ("grace",)
    assert await PostgresNotes(database).read(user) == [theirs]


async def test_the_same_note_written_by_someone_else_meanwhile_is_no_conflict(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    async def meanwhile() -> None:
        await ingest_over(database, tokenizer).run(user, [note("grace")])

    report = await ingest_over(database, tokenizer, Meanwhile(meanwhile)).run(user, [note("grace")])
    assert report.skipped == ()
    assert await PostgresNotes(database).read(user) == [note("grace")]


async def test_cutting_a_long_note_leaves_the_event_loop_to_others(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    """It happens on another thread."""
    threads: set[int] = set()
    inner = SentenceChunker(tokenizer, 60, 10)

    class Noting:
        name = inner.name

        def __call__(self, note: Note) -> tuple[Chunk, ...]:
            threads.add(threading.get_ident())
            return inner(note)

    ingest = Ingest(store=PostgresNotes(database), embedder=HashingEmbedder(), chunker=Noting())
    await ingest.run(user, [long_note()])
    await ingest.re_embed(user)
    assert threads
    assert threading.get_ident() not in threads


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


async def test_concurrent_ingests_of_one_user_end_consistent(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    """Six tasks, overlapping files, differing editions: each note is one of its editions, whole."""
    draw = random.Random(7)
    editions = [
        [edited(one, "ended", f"closed{task}") for one in draw.sample(library(40), 25)]
        for task in range(6)
    ]
    await asyncio.gather(*(ingest_over(database, tokenizer).run(user, notes) for notes in editions))
    stored = await PostgresNotes(database).read(user)
    offered = {(one.id, one.body) for notes in editions for one in notes}
    assert {one.id for one in stored} == {note_id for note_id, _ in offered}
    assert {(one.id, one.body) for one in stored} <= offered
    assert await half_written(database, user) == []
    chunker = SentenceChunker(tokenizer, 60, 10)
    assert [(row[0], row[6]) for row in await stored_chunks(database, user)] == [
        (chunk.note_id, chunk.text) for one in stored for chunk in chunker(one)
    ]


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


async def test_a_note_that_cannot_be_stored_is_refused_before_anything_is_written(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    half_a_pair = replace(note("storm"), title="On \ud83d")
    with pytest.raises(InvalidInput, match=r"storm.*title"):
        await ingest_over(database, tokenizer).run(user, [note("grace"), half_a_pair])
    assert await PostgresNotes(database).read(user) == []
