"""A worker of the queue of documents stops whenever it is told to."""

from __future__ import annotations

import asyncio

from rag_core.adapters.postgres.worker import DocumentWorker
from rag_core.domain import UserId


class Idle:
    """Has nothing to read."""

    async def run(self, user: UserId, document_id: str, *, last: bool) -> None:
        raise AssertionError("there is no job")

    async def give_up(self, user: UserId, document_id: str) -> None:
        raise AssertionError("there is no job")


async def nothing() -> int:
    return 0


async def test_it_stops_however_little_it_has_begun(own_database: str) -> None:
    """After so many turns of the event loop: while its pool opens, before and after."""
    for turns in range(60):
        worker = DocumentWorker(own_database, Idle(), nothing)
        async with asyncio.timeout(30), worker.working():
            for _ in range(turns):
                await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) == 1, f"after {turns} turns something is left over"
