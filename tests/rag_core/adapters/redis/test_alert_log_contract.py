"""Every alert log says of an alert once that it is the first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.memory import MemoryAlertLog, MemorySpendSource
from rag_core.adapters.redis import RedisAlertLog, RedisClient, open_client
from rag_core.budget import NANO_PER_USD, Alert, AlertLog, AlertRules, SpendMonitor
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.embedded import OwnValkey
from tests.rag_core.adapters.redis.scenes import keys_of
from tests.rag_core.cache.parts import PATIENCE_S


@pytest.fixture(params=["memory", "redis"])
def logs(request: pytest.FixtureRequest) -> tuple[AlertLog, AlertLog]:
    """The logs of two users of it: of two tasks, or of two processes."""
    if request.param == "memory":
        log = MemoryAlertLog()
        return log, log
    clients = (request.getfixturevalue("client"), request.getfixturevalue("other_client"))
    return RedisAlertLog(clients[0]), RedisAlertLog(clients[1])


def _alert(user: UserId) -> Alert:
    at = datetime(2026, 3, 20, 12, tzinfo=UTC)
    return Alert(kind="nearly spent", scope="user", user=user, spent_nano=8, cap_nano=10, at=at)


async def test_of_many_who_ask_at_once_one_is_the_first(
    logs: tuple[AlertLog, AlertLog], user: UserId
) -> None:
    asked = await asyncio.gather(*(logs[n % 2].first(_alert(user)) for n in range(20)))
    assert sum(asked) == 1


async def test_another_user_day_or_kind_is_another_alert(
    logs: tuple[AlertLog, AlertLog], user: UserId, other_user: UserId
) -> None:
    alert = _alert(user)
    later = replace(alert, at=alert.at + timedelta(hours=3))
    spike = replace(alert, kind="spike")
    assert await logs[0].first(alert)
    assert not await logs[1].first(later)
    assert await logs[1].first(replace(alert, user=other_user))
    assert await logs[1].first(replace(alert, at=alert.at + timedelta(days=1)))
    assert await logs[1].first(spike)
    assert await logs[1].first(replace(spike, at=later.at))


async def test_the_redis_log_forgets_in_time(client: RedisClient, user: UserId) -> None:
    await RedisAlertLog(client).first(_alert(user))
    (key,) = await keys_of(client, f"*{user}*")
    assert 86_400_000 < await client.execute("PTTL", key) <= 2 * 86_400_000


async def test_without_redis_each_process_tells_once(valkey: OwnValkey, user: UserId) -> None:
    clock, source, told = ManualClock(), MemorySpendSource(), list[Alert]()
    rules = AlertRules(user_cap_nano=NANO_PER_USD, all_cap_nano=100 * NANO_PER_USD)
    async with open_client(valkey.url, call_timeout_s=PATIENCE_S) as client:
        log = RedisAlertLog(client)
        monitors = [SpendMonitor(source, rules, log, told.append, clock=clock) for _ in range(2)]
        await valkey.kill()
        source.record(user, datetime.fromtimestamp(clock.now(), UTC), 85 * NANO_PER_USD // 100)
        for monitor in (*monitors, *monitors):
            monitor.settled(user)
            await monitor.check()
    assert [alert.kind for alert in told] == ["nearly spent"] * 2
