"""Workers of one queue that may together read only so many documents at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from rag_core.adapters.postgres import Database, PostgresDocuments, open_database
from rag_core.adapters.postgres.worker import DocumentWorker
from rag_core.clock import SystemClock
from rag_core.documents import Documents
from rag_core.domain import UserId, authenticated
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.reading import HUNG, OPTIONS, WAITS
from tests.rag_core.test_document_worker import becomes, documents_in, worker

USERS = [authenticated(f"user-{n}") for n in range(8)]


@pytest.fixture
async def own(own_database: str) -> AsyncIterator[Database]:
    """A queue that nobody else's workers take from."""
    async with open_database(own_database, read_timeout_s=30, write_timeout_s=30) as database:
        yield database


@dataclass
class Readers:
    """Reads nothing, but counts how much of it goes on; each reading ends when it is let."""

    let: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    running: int = 0
    peak: int = 0
    done: list[str] = field(default_factory=list)

    async def run(self, user: UserId, document_id: str, *, last: bool) -> None:
        self.running += 1
        self.peak = max(self.peak, self.running)
        try:
            await self.let.acquire()
            self.done.append(document_id)
        finally:
            self.running -= 1

    async def give_up(self, user: UserId, document_id: str) -> None:
        raise AssertionError("no reader dies of this")


async def given(database: Database, count: int) -> set[str]:
    """The ids of as many documents, of each user in turn."""
    documents = Documents(
        store=PostgresDocuments(database), clock=SystemClock(), changed=lambda user, note_id: None
    )
    added = [
        await documents.add(USERS[n % len(USERS)], f"{n}.txt", f"Text {n}".encode())
        for n in range(count)
    ]
    return {each.document.id for each in added}


async def nothing_lost() -> int:
    return 0


async def started(
    stack: AsyncExitStack, url: str, readers: Readers, *, workers: int, each: int, fleet: int | None
) -> None:
    """Workers that read until the stack is left, each so many at once, and the fleet so many."""
    options = replace(OPTIONS, concurrency=each, fleet_concurrency=fleet, dead_after_s=60.0)
    for _ in range(workers):
        one = DocumentWorker(url, readers, nothing_lost, options)
        await stack.enter_async_context(one.working())


async def test_workers_together_never_read_more_at_once_than_the_fleet_may(
    own: Database, own_database: str
) -> None:
    ids, readers = await given(own, 12), Readers()
    async with AsyncExitStack() as stack:
        await started(stack, own_database, readers, workers=2, each=3, fleet=2)
        for count in range(1, len(ids) + 1):
            await eventually(lambda: readers.running == min(2, len(ids) - len(readers.done)))
            readers.let.release()
            await eventually(lambda: len(readers.done) == count)  # noqa: B023 - awaited here
    assert readers.peak == 2
    assert sorted(readers.done) == sorted(ids)


async def test_without_a_bound_each_reads_as_many_as_it_may(
    own: Database, own_database: str
) -> None:
    await given(own, 12)
    readers = Readers()
    async with AsyncExitStack() as stack:
        await started(stack, own_database, readers, workers=2, each=3, fleet=None)
        await eventually(lambda: readers.running == 6)
        for _ in range(12):
            readers.let.release()


async def test_workers_that_look_at_the_same_moment_do_not_take_one_place_twice(
    own: Database, own_database: str
) -> None:
    ids, readers = await given(own, 48), Readers()
    async with AsyncExitStack() as stack:
        await started(stack, own_database, readers, workers=6, each=3, fleet=3)
        while len(readers.done) < len(ids):
            await eventually(lambda: readers.running == 3)
            before = len(readers.done)
            for _ in range(3):  # which end together, and whose workers look together
                readers.let.release()
            await eventually(lambda: len(readers.done) == before + 3)  # noqa: B023 - awaited here
    assert readers.peak == 3


async def test_a_killed_worker_gives_its_place_back_and_what_it_had_begun_is_done(
    own: Database, own_database: str, user: UserId
) -> None:
    documents = documents_in(own)
    hung = await documents.add(user, "storm.txt", WAITS.encode())
    async with worker(own_database, HUNG, "1") as killed:
        await becomes(documents, user, hung.document.id, "converting")
        others = [await documents.add(user, f"{n}.txt", f"Text {n}".encode()) for n in range(5)]
        async with worker(own_database, "reads", "1"):
            await eventually(lambda: _beaten(own, {}))
            come = await _hearts(own)
            await eventually(lambda: _beaten(own, come))  # it looks oftener than its heart beats
            waiting = [await documents.read(user, each.document.id) for each in others]
            assert {each.newest.status for each in waiting} == {"queued"}
            killed.send_signal(signal.SIGKILL)
            await killed.wait()
            for each in (hung, *others):
                await becomes(documents, user, each.document.id, "ready")


async def _hearts(own: Database) -> dict[int, datetime]:
    """When each worker's heart last beat, by its id."""
    return dict(await own.fetch("SELECT id, last_heartbeat FROM procrastinate_workers"))


async def _beaten(own: Database, before: dict[int, datetime]) -> bool:
    """Whether there are two workers, and the hearts of both have beaten since."""
    hearts = await _hearts(own)
    return len(hearts) == 2 and all(
        beat > before.get(each, datetime.min.replace(tzinfo=UTC)) for each, beat in hearts.items()
    )
