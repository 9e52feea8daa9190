"""What every source of spending says, in memory as in Postgres."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.memory import MemorySpendSource
from rag_core.adapters.postgres import PostgresCostReport, open_database
from rag_core.budget import HourSpend, SpendSource
from rag_core.domain import UserId
from tests.rag_core.adapters.settled_calls import SettledCall, settle

RUTH, BOAZ, NAOMI = UserId("ruth"), UserId("boaz"), UserId("naomi")
NOW = datetime(2026, 3, 20, 14, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)

Filled = Callable[[list[SettledCall]], Awaitable[SpendSource]]


@pytest.fixture
async def in_postgres(own_database: str) -> AsyncIterator[Filled]:
    async with open_database(own_database, read_timeout_s=30) as database:

        async def fill(calls: list[SettledCall]) -> SpendSource:
            await settle(own_database, calls)
            return PostgresCostReport(database)

        yield fill


async def in_memory(calls: list[SettledCall]) -> SpendSource:
    source = MemorySpendSource()
    for call in calls:
        source.record(call.user, call.at, call.nano_usd)
    return source


@pytest.fixture(params=["memory", "postgres"])
def filled(request: pytest.FixtureRequest) -> Filled:
    """Makes a source in which just the given calls were settled."""
    if request.param == "memory":
        return in_memory
    fill: Filled = request.getfixturevalue("in_postgres")
    return fill


def _call(user: UserId, hours_ago: float, nano_usd: int) -> SettledCall:
    return SettledCall(user=user, at=NOW - timedelta(hours=hours_ago), nano_usd=nano_usd)


async def test_the_day_is_of_all_and_of_each_user_asked_for(filled: Filled) -> None:
    calls = [_call(RUTH, 0.1, 5), _call(RUTH, 5, 7), _call(BOAZ, 1, 100), _call(RUTH, 20, 1_000)]
    source = await filled(calls)
    spending = await source.spending([RUTH, NAOMI], NOW, usual_above_nano=10)
    assert spending.all_day_nano == 112
    ruth, naomi = spending.users
    assert (ruth.user, ruth.day_nano, ruth.hour_nano, ruth.usual_hour_nano) == (RUTH, 12, 5, None)
    assert (naomi.day_nano, naomi.hour_nano) == (0, 0)


async def test_the_usual_hour_is_the_median_of_those_with_spend_in_two_weeks(
    filled: Filled,
) -> None:
    calls = [
        *(_call(RUTH, 24, 10), _call(RUTH, 48, 15), _call(RUTH, 48, 15), _call(RUTH, 72, 500)),
        *(_call(RUTH, 96, 0), _call(RUTH, 24 * 15, 9), _call(BOAZ, 24, 7), _call(RUTH, 0.2, 900)),
    ]
    source = await filled(calls)
    (ruth,) = (await source.spending([RUTH], NOW, usual_above_nano=900)).users
    assert ruth.usual_hour_nano == 30
    (ruth,) = (await source.spending([RUTH], NOW, usual_above_nano=901)).users
    assert ruth.usual_hour_nano is None


async def test_hours_are_those_with_spend_in_order(filled: Filled) -> None:
    calls = [_call(RUTH, 0.2, 1), _call(BOAZ, 0.1, 2), _call(RUTH, 3, 4), _call(RUTH, 50, 8)]
    source = await filled(calls)
    everybody = await source.hourly(NOW - timedelta(days=1), NOW)
    assert everybody == [HourSpend(HOUR - timedelta(hours=3), 4), HourSpend(HOUR, 3)]
    assert await source.hourly(NOW - timedelta(days=1), NOW, user=BOAZ) == [HourSpend(HOUR, 2)]
    assert await source.hourly(NOW - timedelta(days=1), NOW - timedelta(hours=5)) == []
