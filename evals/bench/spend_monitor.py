"""What watching the spend costs: on a request's path, and beside it."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from evals.bench.figures import Figure
from evals.results.numbers import number
from rag_core.adapters.memory import MemoryAlertLog
from rag_core.adapters.postgres import PostgresCostReport, open_database
from rag_core.budget import NANO_PER_USD, AlertRules, SpendMonitor, SpendOutlook
from rag_core.clock import SystemClock
from rag_core.domain import UserId, authenticated
from rag_core.embedded import embedded_stack
from rag_core.migrations import migrate

# Chosen: the users and days of a small service, and a busy second's users.
USERS, DAYS, CALLS_PER_DAY = 1_000, 28, 10
BUSY = 100
ROUNDS = 30
SETTLED = 100_000

_FILL = """
INSERT INTO api_calls
SELECT 'user-' || mod(n, %(users)s), 'call-' || n, at, (at AT TIME ZONE 'UTC')::date,
       'groq', 'small', 1000, 100, 400000
FROM (
    SELECT n, now() - n * make_interval(days => %(days)s) / %(calls)s AS at
    FROM generate_series(1, %(calls)s) AS n
) AS calls
"""
_SUM = """
INSERT INTO user_api_costs
SELECT user_id, day, provider, model, count(*), sum(input_tokens), sum(output_tokens), sum(nano_usd)
FROM api_calls GROUP BY user_id, day, provider, model
"""


async def watched(folder: Path) -> list[Figure]:
    """A settled call, a check of one and of many users, and the forecast's reading."""
    async with embedded_stack(folder, valkey=False) as urls:
        await asyncio.to_thread(migrate, urls.database_url)
        await _fill(urls.database_url)
        async with open_database(urls.database_url, read_timeout_s=60) as database:
            return await _figures(PostgresCostReport(database))


async def _figures(costs: PostgresCostReport) -> list[Figure]:
    rules = AlertRules(user_cap_nano=5 * NANO_PER_USD, all_cap_nano=100 * NANO_PER_USD)
    monitor = SpendMonitor(
        costs,
        rules,
        MemoryAlertLog(),
        lambda alert: None,
        clock=SystemClock(),
        forecast_every_s=1e9,
    )
    users = [authenticated(f"user-{n}") for n in range(BUSY)]
    await monitor.check()  # the forecast's first, of which there is no second today
    one_ms = await _median_ms(lambda: _check(monitor, users[:1]))
    many_ms = await _median_ms(lambda: _check(monitor, users))
    outlook, now = SpendOutlook(costs), datetime.now(UTC)
    first_ms = await _median_ms(lambda: SpendOutlook(costs).at(now))
    later_ms = await _median_ms(lambda: outlook.at(now))
    calls = f"{USERS * DAYS * CALLS_PER_DAY:,} calls, p50"
    on_path_us = _settled_us(monitor, users)
    return [
        Figure(
            "a settled call, on the path", f"{on_path_us:.2f} µs CPU", "≤ 5 µs", on_path_us <= 5
        ),
        Figure("a check of 1 user, beside it", number(one_ms, "ms"), calls),
        Figure(f"a check of {BUSY} users", number(many_ms, "ms"), calls),
        Figure("the outlook, first of a day", number(first_ms, "ms"), calls),
        Figure("the outlook, each 5 minutes", number(later_ms, "ms"), calls),
    ]


def _settled_us(monitor: SpendMonitor, users: list[UserId]) -> float:
    began = time.process_time()
    for place in range(SETTLED):
        monitor.settled(users[place % BUSY])
    return (time.process_time() - began) / SETTLED * 1e6


async def _check(monitor: SpendMonitor, users: list[UserId]) -> None:
    for user in users:
        monitor.settled(user)
    await monitor.check()


async def _median_ms(work: Callable[[], Awaitable[object]]) -> float:
    times_ms = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        times_ms.append((time.perf_counter() - began) * 1000)
    return statistics.median(times_ms)


async def _fill(url: str) -> None:
    parameters = {"users": USERS, "days": DAYS, "calls": USERS * DAYS * CALLS_PER_DAY}
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute(_FILL, parameters)
        await connection.execute(_SUM)
        await connection.execute("VACUUM ANALYZE api_calls")
        await connection.execute("VACUUM ANALYZE user_api_costs")
