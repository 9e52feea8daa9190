"""Imports: large notes are stored in the background, and how far they are is never a lie."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import Database, PostgresImports, PostgresNotes
from rag_core.clock import SystemClock
from rag_core.domain import Condition, Note, Tokenizer, UserId
from rag_core.errors import InvalidInput, NotFound, Overloaded, PreconditionFailed
from rag_core.imports import WAITING, Imports
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import ingest_over, long_note, note, rows

if TYPE_CHECKING:
    from rag_core.domain import Matrix


class HeldEmbedder(HashingEmbedder):
    """Embeds once it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.waiting = 0

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.waiting += 1
        await self.go.wait()
        self.waiting -= 1
        return await super().embed(texts)


@pytest.fixture
def embedder() -> HeldEmbedder:
    return HeldEmbedder()


@pytest.fixture
async def imports(
    database: Database, tokenizer: Tokenizer, embedder: HeldEmbedder
) -> AsyncIterator[Imports]:
    imports = Imports(
        ingest=ingest_over(database, tokenizer, embedder),
        store=PostgresNotes(database),
        records=PostgresImports(database),
        clock=SystemClock(),
    )
    yield imports
    await imports.drain(0)


async def ended(imports: Imports, user: UserId, import_id: str) -> str:
    """The state that an import came to."""

    async def is_over() -> bool:
        return (await imports.read(user, import_id)).state != "running"

    await eventually(is_over)
    return (await imports.read(user, import_id)).state


async def test_it_runs_until_the_note_is_stored(
    imports: Imports, embedder: HeldEmbedder, database: Database, user: UserId
) -> None:
    begun = await imports.begin(user, long_note())
    assert (begun.state, begun.version) == ("running", long_note().version)
    assert await imports.read(user, begun.id) == begun
    assert await PostgresNotes(database).note(user, "long") is None
    embedder.go.set()
    assert await ended(imports, user, begun.id) == "done"
    assert await PostgresNotes(database).note(user, "long") == long_note()


async def test_what_changes_the_note_meanwhile_came_later_and_stands(
    imports: Imports, embedder: HeldEmbedder, database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    begun = await imports.begin(user, long_note())
    await eventually(lambda: embedder.waiting == 1)
    newer = Note("long", "", "Written while the large one was on its way.")
    await ingest_over(database, tokenizer).keep(user, newer)
    embedder.go.set()
    assert await ended(imports, user, begun.id) == "failed"
    failed = await imports.read(user, begun.id)
    assert (failed.error, "Read it again" in failed.problem) == ("PreconditionFailed", True)
    assert await PostgresNotes(database).note(user, "long") == newer


async def test_what_cannot_be_stored_is_refused_at_once(imports: Imports, user: UserId) -> None:
    with pytest.raises(InvalidInput):
        await imports.begin(user, Note("long", "", " "))
    with pytest.raises(PreconditionFailed):
        await imports.begin(user, long_note(), Condition(exists=True))


async def test_no_more_are_held_in_memory_than_there_is_room_for(
    imports: Imports, embedder: HeldEmbedder, user: UserId
) -> None:
    begun = [await imports.begin(user, note("grace")) for _ in range(WAITING)]
    with pytest.raises(Overloaded) as refused:
        await imports.begin(user, note("grace"))
    assert refused.value.retry_after_s
    await eventually(lambda: embedder.waiting == 1)
    embedder.go.set()
    for each in begun:
        await ended(imports, user, each.id)
    assert {(await imports.read(user, each.id)).error for each in begun} == {""}
    await imports.begin(user, note("grace"))


async def test_a_worker_that_stops_lets_imports_end_and_gives_up_the_others_as_lost(
    imports: Imports, embedder: HeldEmbedder, user: UserId
) -> None:
    first = await imports.begin(user, long_note())
    await eventually(lambda: embedder.waiting == 1)
    draining = asyncio.create_task(imports.drain(30))
    embedder.go.set()
    await draining
    assert (await imports.read(user, first.id)).state == "done"
    embedder.go.clear()
    second = await imports.begin(user, note("grace"))
    await imports.drain(0)
    assert (await imports.read(user, second.id)).state == "lost"


async def test_an_import_is_its_users_alone(
    imports: Imports, embedder: HeldEmbedder, user: UserId, other_user: UserId
) -> None:
    begun = await imports.begin(user, long_note())
    with pytest.raises(NotFound):
        await imports.read(other_user, begun.id)


async def test_an_import_under_way_gives_signs_of_life(
    database: Database, tokenizer: Tokenizer, embedder: HeldEmbedder, user: UserId
) -> None:
    imports = Imports(
        ingest=ingest_over(database, tokenizer, embedder),
        store=PostgresNotes(database),
        records=PostgresImports(database),
        clock=_Hasty(),
    )
    begun = await imports.begin(user, long_note())
    beats = "SELECT beat_at > created_at FROM imports WHERE user_id = %s AND id = %s"

    async def has_beaten() -> bool:
        return await rows(database, beats, user, begun.id) == [(True,)]

    await eventually(has_beaten)
    await imports.drain(0)


class _Hasty(SystemClock):
    """Nobody waits for long."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01)
