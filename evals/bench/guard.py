"""CPU that a guard adds to a call that goes well, beside other circuit breakers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pybreaker
from interlock import CircuitBreaker
from purgatory import AsyncCircuitBreakerFactory

from evals.bench.figures import Figure
from evals.results.numbers import number
from rag_core.adapters.redis import RedisBreakerStore, open_client
from rag_core.clock import SystemClock
from rag_core.embedded import OwnValkey
from rag_core.guard import Breaker, Bulkhead, Guard, Retry

# Chosen: rounds that the median is taken over, and calls in each.
ROUNDS = 15
CALLS = 2_000

ALLOWED_US = 50.0
"""What a closed breaker may add to a call, by the requirement."""

Contender = Callable[[int], Awaitable[None]]
"""Makes so many calls."""


async def added_cpu(folder: Path) -> list[Figure]:
    """The closed guard and breaker, whose state is in a Valkey, and others in memory."""
    clock = SystemClock()
    async with OwnValkey(folder / "own") as valkey, open_client(valkey.url) as redis:
        store = RedisBreakerStore(redis, "bench")
        breaker = Breaker("bench", clock=clock, store=store)
        guard = Guard(
            breaker=breaker, bulkhead=Bulkhead("bench"), retry=Retry(), timeout_s=30, clock=clock
        )
        contenders = {
            "nothing, an async call": _bare,
            "closed breaker alone": _through(breaker),
            "closed guard, all four layers": _guarded(guard),
            "pybreaker, a sync call": _pybreaker(),
            "interlock-cb": _interlock(),
            "purgatory": await _purgatory(),
        }
        medians = await _interleaved(contenders)
        look_us = await _cpu_us(_looks(store), 100)
    bare_us = medians.pop("nothing, an async call")
    added = {name: median - bare_us for name, median in medians.items()}
    ours_us = added["closed breaker alone"]
    references = {"closed breaker alone": (f"≤ {ALLOWED_US:.0f} µs", ours_us <= ALLOWED_US)}
    return [
        Figure("nothing, an async call", f"{number(bare_us, 'µs')} CPU", ""),
        *(
            Figure(f"added by: {name}", f"{number(us, 'µs')} CPU", *references.get(name, ("",)))
            for name, us in added.items()
        ),
        Figure("one look at the shared state", f"{number(look_us, 'µs')} CPU", "every 0.4 s"),
    ]


async def _interleaved(contenders: dict[str, Contender]) -> dict[str, float]:
    """Median CPU of a call in microseconds, by contender; each round has one turn of each."""
    times: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            times[name].append(await _cpu_us(contender, CALLS))
    return {name: statistics.median(each) for name, each in times.items()}


async def _cpu_us(contender: Contender, calls: int) -> float:
    began = time.process_time_ns()
    await contender(calls)
    return (time.process_time_ns() - began) / calls / 1000


async def _answer() -> int:
    return 1


async def _bare(calls: int) -> None:
    for _ in range(calls):
        await _answer()


def _through(breaker: Breaker) -> Contender:
    async def run(calls: int) -> None:
        for _ in range(calls):
            ticket = await breaker.admit()
            await _answer()
            await breaker.succeeded(ticket)

    return run


def _guarded(guard: Guard) -> Contender:
    async def run(calls: int) -> None:
        for _ in range(calls):
            await guard.call(_answer)

    return run


def _pybreaker() -> Contender:
    """It has no async call that counts failures: a sync one, whose own cost is smaller."""
    breaker = pybreaker.CircuitBreaker()

    async def run(calls: int) -> None:
        for _ in range(calls):
            breaker.call(int)

    return run


def _interlock() -> Contender:
    breaker = CircuitBreaker(name="bench")

    async def run(calls: int) -> None:
        for _ in range(calls):
            await breaker.call(_answer)

    return run


async def _purgatory() -> Contender:
    factory = AsyncCircuitBreakerFactory()
    await factory.initialize()

    async def run(calls: int) -> None:
        for _ in range(calls):
            async with await factory.get_breaker("bench"):
                await _answer()

    return run


def _looks(store: RedisBreakerStore) -> Contender:
    async def run(calls: int) -> None:
        for _ in range(calls):
            await store.read()

    return run
