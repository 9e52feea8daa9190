"""What rate limits add to a request: by one script, by the library's own calls, and in the app."""

from __future__ import annotations

import itertools
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from limits import RateLimitItem, parse
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from starlette.applications import Starlette

from evals.bench.asgi import ask, running
from evals.bench.figures import Figure
from evals.bench.world import USER, Bench, bench, bench_settings, notes
from evals.results.numbers import number
from rag_core.adapters.redis import RedisClient, RedisRateStore, open_client
from rag_core.domain import UserId
from rag_core.settings import Settings
from rag_core.throttle import rate_limits

# Chosen: rounds, requests of each contender in each, users, of whom none asks more often than a
# minute allows, and how long a busy machine may take for a call.
ROUNDS = 20
REQUESTS = 100
USERS = 250
PATIENCE_S = 1.0

ALLOWED_MS = 0.5
"""What a limit may add to a request, p99, by the requirement."""

_USER = ("10/minute", "100/hour", "500/day")
_ALL = ("1000000/hour",)

Request = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Spent:
    """What one contender's requests took."""

    times_ms: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    """CPU microseconds of this process for a request, by round."""

    def percentile_ms(self, percent: float) -> float:
        """Milliseconds of wall-clock time that so many percent of the requests took at most."""
        return float(np.percentile(self.times_ms, percent))


async def limit_check(folder: Path) -> list[Figure]:
    """The three windows of a user and one of all, asked and counted, in alternating rounds."""
    async with (
        bench(folder, chunks=1) as world,
        open_client(world.redis_url, call_timeout_s=PATIENCE_S) as redis,
    ):
        alone = await _alternating(
            {
                "a bare GET": lambda: redis.execute("GET", "nothing"),
                "the check: one script": _scripted(redis),
                "the library's own calls": _library(world.redis_url),
            }
        )
        in_app = await _in_the_app(world)
    p99_ms = alone["the check: one script"].percentile_ms(99)
    with_limits, without = in_app.values()
    added_ms = with_limits.percentile_ms(99) - without.percentile_ms(99)
    return [
        *(_figure(name, each) for name, each in {**alone, **in_app}.items()),
        Figure("the check, p99", number(p99_ms, "ms"), f"≤ {ALLOWED_MS} ms", p99_ms <= ALLOWED_MS),
        Figure("added to a cached answer's p99", number(added_ms, "ms"), ""),
    ]


def _figure(name: str, spent: Spent) -> Figure:
    times = " · ".join(number(spent.percentile_ms(percent), "ms") for percent in (50, 99))
    cpu = number(float(np.median(spent.cpu_us)), "µs")
    return Figure(f"{name}, p50 · p99", f"{times}, {cpu} CPU", "")


async def _in_the_app(world: Bench) -> Mapping[str, Spent]:
    """Cached answers with the limits and without, of users who have a note each."""
    settings = bench_settings(world.database_url, world.redis_url).model_copy(
        update={"redis_budget_s": PATIENCE_S}
    )
    for user in _users():
        await world.application.ingest.run(user, notes(1))
    async with AsyncExitStack() as stack:
        contenders = {}
        for name, limits in {"with": (_USER, _ALL), "without": ((), ())}.items():
            app = await stack.enter_async_context(running(_limited(settings, *limits)))
            contenders[f"cached answer {name} limits"] = _asked(app)
        return await _alternating(contenders)


def _limited(settings: Settings, user: tuple[str, ...], everyone: tuple[str, ...]) -> Settings:
    return settings.model_copy(update={"rate_limits": user, "rate_limits_all": everyone})


def _users(who: str = "asks") -> list[UserId]:
    """Others for each contender: all limits of a user hold within the same minute."""
    return [UserId(f"{USER}-{who}-{number}") for number in range(USERS)]


def _asked(app: Starlette) -> Request:
    users = itertools.cycle(_users())

    async def request() -> None:
        assert await ask(app, next(users)) == 200

    return request


def _scripted(redis: RedisClient) -> Request:
    store = RedisRateStore(redis)
    limits = [*rate_limits("user", _USER), *rate_limits("all", _ALL)]
    users = itertools.cycle(_users("is counted"))

    async def request() -> None:
        assert (await store.take(next(users), limits)).counted

    return request


def _library(redis_url: str) -> Request:
    """What the library offers: each window hit, then asked for what is left of it."""
    limiter = MovingWindowRateLimiter(RedisStorage(redis_url, implementation="redispy"))
    items: list[tuple[RateLimitItem, bool]] = [(parse(text), True) for text in _USER]
    items += [(parse(text), False) for text in _ALL]
    users = itertools.cycle(_users("is counted by the library"))

    async def request() -> None:
        user = next(users)
        for item, own in items:
            whose = user if own else "all"
            assert await limiter.hit(item, whose)
            await limiter.get_window_stats(item, whose)

    return request


async def _alternating(requests: Mapping[str, Request]) -> Mapping[str, Spent]:
    """Each round has one turn of each contender, and the first warms up."""
    spent = {name: Spent() for name in requests}
    for turn in range(ROUNDS + 1):
        for name, request in requests.items():
            kept = spent[name] if turn else Spent()
            began = time.process_time()
            kept.times_ms.extend([await _timed(request) for _ in range(REQUESTS)])
            kept.cpu_us.append((time.process_time() - began) / REQUESTS * 1e6)
    return spent


async def _timed(request: Request) -> float:
    """Milliseconds that a request takes."""
    began = time.perf_counter()
    await request()
    return (time.perf_counter() - began) * 1000
