"""A cached answer over HTTP: CPU beside other apps, a thousand connected, the first token."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from evals.bench.figures import Figure
from evals.bench.http_client import Measured, Task
from evals.bench.http_processes import Generator, Server, generator
from evals.bench.http_world import CACHED, HttpWorld, http_world
from evals.results.numbers import number

# Chosen: rounds that the median is taken over, requests of each, and how many connections ask.
ROUNDS = 7
REQUESTS = 1_000
CONNECTIONS = (1, 32)

PEOPLE = 1_000
RATE = 100.0
"""Questions a second of all of them together: each asks every ten seconds; chosen."""
ASKED = 3_000
"""Requests that a p99 is taken over; chosen."""

TOKEN = b"event: token"

MOST_TIMES_BAREST = 1.8
LEAST_TIMES_USUAL = 1.5
"""Bars of the requirement, as those below."""
MOST_SERVER_MS = 15.0
MOST_TOKEN_MS = 10.0

OURS, BAREST, USUAL = "rag_core", "starlette", "fastapi"


async def cached_hit(folder: Path) -> list[Figure]:
    """Rounds that alternate between the app and two others, each in a process of its own."""
    figures = []
    async with http_world(folder) as world, generator() as asking, AsyncExitStack() as stack:
        ours = await stack.enter_async_context(world.serving())
        await world.give_references(await world.warm(ours, asking))
        others = [await stack.enter_async_context(world.reference(n)) for n in (BAREST, USUAL)]
        for connections in CONNECTIONS:
            spent = await _alternating(world, [ours, *others], asking, connections)
            figures += _beside(spent, connections)
    return figures


async def many_connected(folder: Path) -> list[Figure]:
    """A thousand connections that stay open, a hundred questions a second among them."""
    async with http_world(folder) as world, generator() as asking, world.serving() as ours:
        await world.warm(ours, asking)
        task = Task(
            port=ours.port,
            request=world.ask(),
            requests=ASKED,
            connections=PEOPLE,
            rate=RATE,
            marks=(CACHED,),
        )
        measured = await asking.run(task)
    _hold_cached(measured)
    server_ms, seen_ms = _p99(measured.steps_ms["total"]), _p99(measured.answered_ms)
    who = f"{PEOPLE:,} connected, {RATE:.0f} requests/s"
    met = server_ms <= MOST_SERVER_MS
    return [
        Figure(f"{who}: server time p99", number(server_ms, "ms"), f"≤ {MOST_SERVER_MS} ms", met),
        Figure("seen by them, waits included: p99", number(seen_ms, "ms"), ""),
    ]


async def first_token(folder: Path) -> list[Figure]:
    """A cached answer as a stream, one connection."""
    async with http_world(folder) as world, generator() as asking, world.serving() as ours:
        await world.warm(ours, asking)
        request = world.ask("Accept: text/event-stream")
        task = Task(port=ours.port, request=request, requests=1_000, marks=(TOKEN, CACHED))
        measured = await asking.run(task)
    _hold_cached(measured)
    p50, p99 = statistics.median(measured.marked_ms), _p99(measured.marked_ms)
    return [
        Figure("first token of a cached stream, p50", number(p50, "ms"), ""),
        Figure(
            "first token of a cached stream, p99",
            number(p99, "ms"),
            f"≤ {MOST_TOKEN_MS} ms",
            p99 <= MOST_TOKEN_MS,
        ),
    ]


async def _alternating(
    world: HttpWorld, servers: Sequence[Server], asking: Generator, connections: int
) -> dict[str, list[float]]:
    """CPU microseconds a request of each server in each round; the first round warms up."""
    spent: dict[str, list[float]] = {server.name: [] for server in servers}
    for turn in range(ROUNDS + 1):
        for server in servers:
            task = Task(
                port=server.port,
                request=world.ask(),
                requests=REQUESTS,
                connections=connections,
                marks=(CACHED,),
            )
            before = server.cpu_s()
            _hold_cached(await asking.run(task))
            if turn:
                spent[server.name].append((server.cpu_s() - before) / REQUESTS * 1e6)
    return spent


def _hold_cached(measured: Measured) -> None:
    """What is measured is the answer from the cache, every time."""
    if measured.marked[CACHED.decode()] != len(measured.answered_ms):
        raise RuntimeError(f"not all answers were cached: {measured.marked}")


def _beside(spent: Mapping[str, Sequence[float]], connections: int) -> list[Figure]:
    who = f"{connections} connection{'s' if connections > 1 else ''}"
    barest, usual = _times(spent, OURS, BAREST), _times(spent, USUAL, OURS)
    return [
        _cost(f"barest Starlette handler, {who}", spent[BAREST]),
        _cost(f"FastAPI and instrumentator, {who}", spent[USUAL]),
        _cost(f"CACHED answer over HTTP, {who}", spent[OURS]),
        Figure(
            f"CACHED / barest, {who}",
            number(barest, "×"),
            f"≤ {MOST_TIMES_BAREST} ×",
            barest <= MOST_TIMES_BAREST,
        ),
        Figure(
            f"requests a core / FastAPI's, {who}",
            number(usual, "×"),
            f"≥ {LEAST_TIMES_USUAL} ×",
            usual >= LEAST_TIMES_USUAL,
        ),
    ]


def _cost(name: str, spent_us: Sequence[float]) -> Figure:
    cpu_us = statistics.median(spent_us)
    return Figure(name, f"{number(cpu_us, 'µs')} CPU", f"{1e6 / cpu_us:,.0f} requests/s a core")


def _times(spent: Mapping[str, Sequence[float]], one: str, other: str) -> float:
    """The median, over the rounds, of what one takes for what the other does."""
    return statistics.median(a / b for a, b in zip(spent[one], spent[other], strict=True))


def _p99(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=100)[98]
