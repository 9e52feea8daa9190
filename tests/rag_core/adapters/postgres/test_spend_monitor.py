"""The monitor over a real Postgres: what it asks, and what it does while there is no answer."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from rag_core.adapters.memory import MemoryAlertLog
from rag_core.adapters.postgres import Connection, PostgresCostReport, open_database
from rag_core.budget import NANO_PER_USD, Alert, AlertRules, SpendMonitor, watching
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from tests.rag_core.adapters.settled_calls import SettledCall, settle
from tests.servers.counting_proxy import counting_proxy

USERS = [UserId(f"user-{n}") for n in range(20)]
RULES = AlertRules(user_cap_nano=5 * NANO_PER_USD, all_cap_nano=1_000 * NANO_PER_USD)


async def _nothing(connection: Connection) -> None:
    """What is written."""


async def test_all_users_that_wait_are_one_round_trip(own_database: str) -> None:
    clock, told = ManualClock(), list[Alert]()
    at = datetime.fromtimestamp(clock.now(), UTC)
    calls = [SettledCall(user=user, at=at, nano_usd=5 * NANO_PER_USD) for user in USERS]
    await settle(own_database, calls)
    async with (
        counting_proxy(own_database) as proxy,
        open_database(
            proxy.url, read_timeout_s=30, read_connections=1, write_connections=1
        ) as database,
    ):
        costs = PostgresCostReport(database)
        monitor = SpendMonitor(costs, RULES, MemoryAlertLog(), told.append, clock=clock)
        await monitor.check()  # connects, prepares, and makes the forecast
        await database.write(USERS[0], _nothing)  # the pool of writes has connected, too
        before = proxy.round_trips
        for user in USERS:
            monitor.settled(user)
        await monitor.check()
        assert proxy.round_trips - before == 1
    assert {alert.user for alert in told if alert.kind == "exhausted"} == set(USERS)


class PausingClock(ManualClock):
    """Says when somebody has slept."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.paused.set()
        await super().sleep(seconds)


async def test_an_outage_of_postgres_delays_an_alert_and_loses_none(own_database: str) -> None:
    clock, told = PausingClock(), asyncio.Queue[Alert]()
    at = datetime.fromtimestamp(clock.now(), UTC)
    await settle(own_database, [SettledCall(user=USERS[0], at=at, nano_usd=4 * NANO_PER_USD)])
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=1, read_connections=1) as database,
    ):
        costs = PostgresCostReport(database)
        monitor = SpendMonitor(costs, RULES, MemoryAlertLog(), told.put_nowait, clock=clock)
        proxy.refuse()
        async with watching(monitor), asyncio.timeout(30):
            monitor.settled(USERS[0])
            await clock.paused.wait()  # it has failed by now
            proxy.resume()
            alert = await told.get()
    assert (alert.kind, alert.user) == ("nearly spent", USERS[0])
