"""Calls of a fleet: who leads, who follows, and what each asked Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from rag_core.adapters.redis import (
    CONCURRENT_CALLS,
    RedisClient,
    RedisFleet,
    open_driver,
)
from rag_core.domain import Answer
from tests.rag_core.cache.parts import PATIENCE_S, Work
from tests.rag_core.embedded.processes import eventually

T = TypeVar("T")

LONG_S = 600.0
"""A lease that does not end during a test."""


class CountingClient(RedisClient):
    """Counts the calls that were answered, and keeps the commands that were asked."""

    def __init__(self, url: str) -> None:
        driver = open_driver(url, max_connections=CONCURRENT_CALLS)
        super().__init__(driver, call_timeout_s=PATIENCE_S)
        self.calls = 0
        self.asked: list[tuple[Any, ...]] = []

    async def execute(self, *command: Any, **options: Any) -> Any:
        self.asked.append(command)
        return await super().execute(*command, **options)

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        reply = await super().call(command)
        self.calls += 1
        return reply


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[CountingClient]:
    client = CountingClient(url)
    try:
        await client.connect()
        yield client
    finally:
        await client.aclose()


def fleet_of(client: RedisClient, *, lease_s: float = LONG_S) -> RedisFleet:
    return RedisFleet(client, lease_s=lease_s)


Asking = asyncio.Task[tuple[Answer, bool]]


def ask(fleet: RedisFleet, key: str, work: Work) -> Asking:
    return asyncio.create_task(fleet.run(key, work))


async def leading(fleet: RedisFleet, key: str, work: Work) -> Asking:
    """A call whose work has begun."""
    begun = work.begun
    task = ask(fleet, key, work)
    await eventually(lambda: work.begun > begun)
    return task


async def following(fleet: RedisFleet, client: CountingClient, key: str, work: Work) -> Asking:
    """A call that has seen that somebody else leads."""
    before = client.calls
    task = ask(fleet, key, work)
    await eventually(lambda: client.calls > before)
    assert not task.done()
    return task


async def freed(client: RedisClient, key: str) -> None:
    """As if the leader's lease had ended."""
    await client.execute("DEL", key)
