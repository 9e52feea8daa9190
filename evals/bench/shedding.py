"""Twice as many questions as a process can answer: how long the answered ones take."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from starlette.applications import Starlette

from evals.bench.asgi import ask, running
from evals.bench.figures import Figure
from evals.bench.world import USER, Bench, bench, bench_settings
from evals.results.numbers import number, share
from rag_core.settings import Settings

# Chosen: seconds of each run, runs of each contender, requests that capacity is taken from, places
# that the setting allows at most, and how many times the capacity comes in.
RUN_S = 4.0
RUNS = 2
WARM = 600
MOST = 2_000
OVERLOAD = 2.0
SEED = 10


@dataclass
class Seen:
    """What became of the requests of one contender."""

    answered_s: list[float] = field(default_factory=list)
    """Seconds from when a request was meant to come until it was answered."""
    shed: int = 0
    """Number of requests that were turned away."""

    def figure(self, name: str) -> Figure:
        """Latency of what was answered, how much that was a second, and the share that was shed."""
        p50, p99 = (float(np.percentile(self.answered_s, percent)) for percent in (50, 99))
        rate = len(self.answered_s) / (RUN_S * RUNS)
        shed = share(self.shed / (self.shed + len(self.answered_s)))
        times = f"{number(p50 * 1000, 'ms')} · {number(p99 * 1000, 'ms')}"
        return Figure(f"{name}: p50 · p99", f"{times}, {rate:.0f}/s answered, {shed} shed", "")


async def overload(folder: Path) -> list[Figure]:
    """Cached answers, arrivals drawn ahead, in alternating runs with shedding and without."""
    async with bench(folder, chunks=200) as world, AsyncExitStack() as stack:
        apps = {
            name: await stack.enter_async_context(running(_settings(world, most)))
            for name, most in {"with shedding": MOST, "without": 0}.items()
        }
        capacity = min([await _capacity(app) for app in apps.values()])
        seen = {name: Seen() for name in apps}
        for run, (name, app) in itertools.product(range(RUNS), apps.items()):
            await _storm(app, capacity * OVERLOAD, seen[name], SEED + run)
    return [
        Figure("capacity, 32 clients", f"{capacity:.0f}/s", ""),
        Figure(f"offered, {OVERLOAD:g} × that", f"{capacity * OVERLOAD:.0f}/s for {RUN_S:g} s", ""),
        *(each.figure(name) for name, each in seen.items()),
    ]


def _settings(world: Bench, most: int) -> Settings:
    settings = bench_settings(world.database_url, world.redis_url)
    changes = {"concurrent_queries": most, "rate_limits": (), "rate_limits_all": ()}
    return settings.model_copy(update=changes)


async def _capacity(app: Starlette) -> float:
    """Answers a second to 32 clients who ask again as soon as they are answered."""

    async def client() -> None:
        for _ in range(WARM // 32):
            await ask(app, USER)

    await client()
    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(32)))
    return 32 * (WARM // 32) / (time.perf_counter() - began)


async def _storm(app: Starlette, rate: float, seen: Seen, seed: int) -> None:
    began = time.perf_counter()

    async def one(at: float) -> None:
        status = await ask(app, USER)
        if status == 200:
            seen.answered_s.append(time.perf_counter() - began - at)
        else:
            assert status == 503
            seen.shed += 1

    async with asyncio.TaskGroup() as under_way:
        for at in _arrivals(rate, random.Random(seed)):
            if (early_s := began + at - time.perf_counter()) > 0:
                await asyncio.sleep(early_s)
            under_way.create_task(one(at))


def _arrivals(rate: float, draw: random.Random) -> Iterator[float]:
    """Seconds at which requests are meant to come: a Poisson process of `rate` a second."""
    times = itertools.accumulate(draw.expovariate(rate) for _ in itertools.count())
    return itertools.takewhile(lambda at: at < RUN_S, times)
