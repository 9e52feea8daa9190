"""Redis frozen by SIGSTOP while requests come in, and thawed again."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evals.bench.figures import Figure
from evals.bench.world import USER, with_and_without_redis
from evals.results.numbers import number
from rag_core.errors import RagError
from rag_core.pipeline import Pipeline

# Chosen: how often Redis is frozen, and how many ask all the while.
ROUNDS = 8
CLIENTS = 4


async def frozen_redis(folder: Path) -> list[Figure]:
    """Added latency of the first requests and of later ones, errors, and the way back."""
    async with with_and_without_redis(folder, chunks=500) as (valkey, application, world):
        pipeline = application.pipeline
        healthy, without, opened, first = _Load(), _Load(), _Load(), _Load()
        await _load(world.pipeline, without, requests=50)
        await _load(pipeline, healthy, requests=50)
        with valkey.frozen():
            await _load(pipeline, first, requests=20)
            for _ in range(ROUNDS):  # in turns, so that both see the same machine
                await _load(world.pipeline, without, requests=100)
                await _load(pipeline, opened, requests=100)
        recovered_s = await _until_hit(pipeline)
    added_first = max(first.times_ms) - float(np.median(without.times_ms))
    p99_without, p99_open = without.p99_ms(), opened.p99_ms()
    added = p99_open - p99_without
    errors = sum(load.errors.total() for load in (healthy, first, opened))
    return [
        Figure("p99 of a miss without Redis", number(p99_without, "ms"), f"{CLIENTS} clients"),
        Figure(
            "most added to the first 20", number(added_first, "ms"), "≤ 100", added_first <= 100
        ),
        Figure("p99 added, Redis given up", number(added, "ms"), "≤ 2 ms", added <= 2),
        Figure("errors while frozen", str(errors), "0", errors == 0),
        Figure("first hit after thawing", number(recovered_s, "s"), "without a restart"),
    ]


@dataclass(slots=True)
class _Load:
    """What requests took, and how they failed."""

    times_ms: list[float] = field(default_factory=list)
    errors: Counter[str] = field(default_factory=Counter)

    def p99_ms(self) -> float:
        return float(np.percentile(self.times_ms, 99))


_questions = itertools.count()


async def _load(pipeline: Pipeline, load: _Load, *, requests: int) -> None:
    """New questions, each a miss, by a few clients at once."""
    turns = iter(range(requests))

    async def client() -> None:
        for _ in turns:
            began = time.perf_counter()
            try:
                await pipeline.answer(f"What of covenant number {next(_questions)}?", USER)
            except RagError as error:
                load.errors[type(error).__name__] += 1
            load.times_ms.append((time.perf_counter() - began) * 1000)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


async def _until_hit(pipeline: Pipeline) -> float:
    """Seconds until a repeated question is a hit again."""
    began = time.perf_counter()
    hits = (await pipeline.stats())["answer"].hits
    async with asyncio.timeout(30):
        while (await pipeline.stats())["answer"].hits == hits:
            await pipeline.answer("What of the covenant?", USER)
    return time.perf_counter() - began
