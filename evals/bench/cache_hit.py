"""CPU of a CACHED answer beside the barest reads of what it rests on."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from evals.bench.figures import Figure
from evals.bench.world import QUESTION, USER, Bench, bench
from evals.results.numbers import number
from rag_core.domain import Provenance

# Chosen: rounds that the median is taken over, and calls in each.
ROUNDS = 15
CALLS = 320
CLIENTS = (1, 32)

_EPOCH = "SELECT epoch::text FROM users WHERE id = %s"

Call = Callable[[int], Awaitable[object]]
"""Made by the client of that number."""


async def cached_answer(folder: Path) -> list[Figure]:
    """Strict freshness, in alternating rounds with a GET of the entry and a SELECT of the epoch."""
    figures = []
    async with bench(folder, chunks=200) as world:
        first = await world.pipeline.answer(QUESTION, USER)
        for clients in CLIENTS:
            figures += await _beside_bare(world, clients)
        again = await world.pipeline.answer(QUESTION, USER)
    assert (first.provenance, again.provenance) == (Provenance.FRESH, Provenance.CACHED)
    return figures


async def _beside_bare(world: Bench, clients: int) -> list[Figure]:
    async with AsyncExitStack() as stack:
        # The cheapest client there is: it neither retries nor watches a timeout.
        redis: Redis = await stack.enter_async_context(
            Redis.from_url(world.redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=None)
        )
        (key,) = [k async for k in redis.scan_iter("rag:*:answer:*")]
        connections = [await _connected(stack, world.database_url) for _ in range(clients)]

        async def select(client: int) -> None:
            cursor = await connections[client].execute(_EPOCH, (USER,))
            assert await cursor.fetchone()

        calls: dict[str, Call] = {
            "get": lambda client: redis.get(key),
            "select": select,
            "answer": lambda client: world.pipeline.answer(QUESTION, USER),
        }
        spent = await _alternating(calls, clients)
    bare = [get + select for get, select in zip(spent["get"], spent["select"], strict=True)]
    pairs = zip(spent["answer"], bare, strict=True)
    ratio = statistics.median(answer / reads for answer, reads in pairs)
    get_us, select_us, answer_us = (statistics.median(spent[name]) for name in calls)
    who = f"{clients} client{'s' if clients > 1 else ''}"
    return [
        Figure(
            f"bare GET + SELECT, {who}",
            f"{number(get_us, 'µs')} + {number(select_us, 'µs')} CPU",
            "",
        ),
        Figure(f"CACHED answer, {who}", f"{number(answer_us, 'µs')} CPU", ""),
        Figure(f"CACHED / bare, {who}", number(ratio, "×"), "≤ 1.5 ×", ratio <= 1.5),
    ]


async def _connected(stack: AsyncExitStack, url: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    return await stack.enter_async_context(connection)


async def _alternating(calls: dict[str, Call], clients: int) -> dict[str, list[float]]:
    """CPU microseconds a call in each round; the first round warms up."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + 1):
        for name, call in calls.items():
            cpu_us = await _cpu_us(call, clients)
            if turn:
                spent[name].append(cpu_us)
    return spent


async def _cpu_us(call: Call, clients: int) -> float:
    async def client(number: int) -> None:
        for _ in range(CALLS // clients):
            await call(number)

    began = time.process_time()
    await asyncio.gather(*(client(number) for number in range(clients)))
    return (time.process_time() - began) / CALLS * 1e6
