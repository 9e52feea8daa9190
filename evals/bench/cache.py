"""What the caches cost and save in one process, and what the simulator of them does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from cachebox import LRUCache

from evals.bench.figures import Figure
from evals.bench.world import QUESTION, USER, bench
from evals.results.numbers import number
from evals.simulation.agreement import MILLION_REQUESTS, measure_speed, reference_hit_rates
from evals.simulation.traffic import generate
from rag_core.cache import ContextCache
from rag_core.clock import SystemClock
from rag_core.domain import Context, Provenance

ROUNDS = 15
"""Revalidations that the median is taken over; chosen."""


async def revalidated_answer(folder: Path) -> list[Figure]:
    """REVALIDATED after an unrelated edit, against FRESH behind a 3.5 s provider."""
    async with bench(folder, chunks=10_000, latency_s=3.5) as world:
        began = time.perf_counter()
        await world.pipeline.answer(QUESTION, USER)
        fresh_ms = (time.perf_counter() - began) * 1000
        times_ms = []
        for turn in range(ROUNDS):
            await world.edit_elsewhere(turn)
            began = time.perf_counter()
            answer = await world.pipeline.answer(QUESTION, USER)
            times_ms.append((time.perf_counter() - began) * 1000)
            assert answer.provenance is Provenance.REVALIDATED, answer.provenance
    median = statistics.median(times_ms)
    share = median / fresh_ms
    return [
        Figure("FRESH, provider of 3.5 s", number(fresh_ms, "ms"), "10,000 chunks, exact search"),
        Figure("REVALIDATED", number(median, "ms"), "≤ 15 ms", median <= 15),
        Figure("REVALIDATED / FRESH", f"1/{1 / share:.0f}", "≤ 1/20", share <= 1 / 20),
    ]


async def context_get(folder: Path) -> list[Figure]:
    """CPU of a context cache hit against the library's own get."""
    async with bench(folder, chunks=200) as world:
        context = await world.context()
    cache = ContextCache(clock=SystemClock())
    cache.put("key", context)
    library: LRUCache[str, Context] = LRUCache(10)
    library["key"] = context
    ours, theirs, expires = [], [], []
    for _ in range(ROUNDS):
        theirs.append(_cpu_ns(50_000, library.get))
        ours.append(_cpu_ns(50_000, cache.get))
        expires.append(_cpu_ns(50_000, lambda key: cache.expire()))
    ratio = statistics.median(o / t for o, t in zip(ours, theirs, strict=True))
    return [
        Figure("cachebox LRU get", f"{number(statistics.median(theirs), 'ns')} CPU", ""),
        Figure("context cache get", f"{number(statistics.median(ours), 'ns')} CPU", ""),
        Figure(
            "expire before it, if nothing is due",
            f"{number(statistics.median(expires), 'ns')} CPU",
            "",
        ),
        Figure("context get / library get", number(ratio, "×"), "≤ 2 ×", ratio <= 2),
    ]


async def simulator(folder: Path) -> list[Figure]:
    """The simulator's speed, and the hit rates of the reference trace."""
    speed = measure_speed(generate(MILLION_REQUESTS))
    cpu_s = speed.prepare_cpu_s + speed.simulate_cpu_s
    rates = reference_hit_rates(50)["mean"]
    valid, flushed = rates["evidence_revalidation"], rates["flush_on_change"]
    return [
        Figure("simulated requests", f"{speed.requests:,}", "≥ 1,000,000", speed.requests >= 1e6),
        Figure("one setting takes", f"{number(cpu_s, 's')} CPU", "≤ 5 s", cpu_s <= 5),
        Figure("hit rate, evidence revalidated", f"{valid:.3f}", "≥ 0.75", valid >= 0.75),
        Figure("hit rate, flushed on change", f"{flushed:.3f}", "about 0.5"),
    ]


def _cpu_ns(times: int, call: Callable[[str], object]) -> float:
    began = time.process_time_ns()
    for _ in range(times):
        call("key")
    return (time.process_time_ns() - began) / times
