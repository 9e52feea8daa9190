"""Edits, deletions, other ingests and the event loop while an ingest runs."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Chunk, Note, SentenceChunker, Tokenizer, UserId
from rag_core.ingest import Ingest
from tests.rag_core.library import (
    CountingEmbedder,
    edited,
    half_written,
    ingest_over,
    library,
    long_note,
    note,
    stored_chunks,
)

if TYPE_CHECKING:
    from rag_core.domain import Matrix


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
