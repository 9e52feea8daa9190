"""What operators are told of money and of connections, by the parts that know."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg
import pytest

from rag_core.adapters.postgres import Database, PostgresCostReport, PostgresCosts, open_database
from rag_core.adapters.redis import open_client
from rag_core.budget import NANO_PER_USD, DailyLedger, tell_day
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.embedded import StackUrls
from rag_core.events import BudgetUsed, DaySpent, Event, PoolWaited
from tests.rag_core.adapters.settled_calls import SettledCall, settle
from tests.rag_core.budget.parts import BOAZ, CAPS, RUTH, redis_world, spent
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.embedded.processes import eventually

NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)
DOLLAR = NANO_PER_USD


@pytest.fixture
async def own(own_database: str) -> AsyncIterator[Database]:
    async with open_database(own_database, read_timeout_s=30, write_timeout_s=30) as database:
        yield database


async def test_what_the_day_has_cost_is_what_was_booked_of_that_day(
    own_database: str, own: Database
) -> None:
    yesterday = NOON.replace(day=19)
    await settle(
        own_database,
        [
            SettledCall(user=RUTH, at=NOON, nano_usd=3 * DOLLAR),
            SettledCall(user=RUTH, at=NOON, nano_usd=2 * DOLLAR, provider="openai"),
            SettledCall(user=BOAZ, at=NOON, nano_usd=4 * DOLLAR),
            SettledCall(user=UserId("naomi"), at=yesterday, nano_usd=90 * DOLLAR),
        ],
    )
    clock, told = ManualClock(NOON.timestamp()), list[Event]()
    costs = PostgresCostReport(own)
    await tell_day(costs, user_cap_nano=5 * DOLLAR, clock=clock, emit=told.append)
    assert told == [DaySpent(all_usd=9.0, top_user_usd=5.0, users_over=1)]
    clock.advance(86_400)
    await tell_day(costs, user_cap_nano=5 * DOLLAR, clock=clock, emit=told.append)
    assert told[1:] == [DaySpent(all_usd=0.0, top_user_usd=0.0, users_over=0)]


async def test_the_share_of_the_budget_is_what_is_spent_and_held_of_what_may_be(
    stack: StackUrls, own: Database
) -> None:
    """After each look at the ledger, which all processes share."""
    told: list[Event] = []
    async with open_client(stack.redis_url, call_timeout_s=PATIENCE_S) as client:
        world = redis_world(client)
        costs = PostgresCosts(own)
        ledger = DailyLedger(world.store, costs, CAPS, clock=world.clock, listener=told.append)
        await ledger.settle(await ledger.hold(RUTH, "1", 400), spent(300))
        await ledger.hold(BOAZ, "2", 600)
        await ledger.sweep()
        shares = [event for event in told if isinstance(event, BudgetUsed)]
        assert shares == [BudgetUsed((300 + 600) / CAPS.all_in_ledger)]
        await world.lose()


async def test_who_waits_for_a_connection_tells_how_long(own_database: str) -> None:
    told: list[Event] = []
    async with (
        await psycopg.AsyncConnection.connect(own_database, autocommit=True) as other,
        open_database(
            own_database, read_connections=1, read_timeout_s=30, listener=told.append
        ) as database,
    ):
        await other.execute("SELECT pg_advisory_lock(7)")
        told.clear()
        first = asyncio.create_task(database.fetch("SELECT pg_advisory_lock_shared(7)"))
        await eventually(lambda: len(told) == 1)
        second = asyncio.create_task(database.fetch("SELECT 1"))
        await asyncio.sleep(0)  # it has asked by then
        began = time.monotonic()
        await other.execute("SELECT 1")
        waited_ms = (time.monotonic() - began) * 1000
        assert len(told) == 1
        await other.execute("SELECT pg_advisory_unlock(7)")
        await asyncio.gather(first, second)
    kinds = [(event.pool, event.elapsed_ms) for event in told if isinstance(event, PoolWaited)]
    assert [pool for pool, _ in kinds] == ["read", "read"]
    assert kinds[1][1] >= waited_ms


async def test_a_write_waits_at_the_other_pool(own_database: str, user: UserId) -> None:
    told: list[Event] = []
    async with open_database(
        own_database, read_timeout_s=30, write_timeout_s=30, listener=told.append
    ) as database:
        told.clear()

        async def work(connection: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
            await connection.execute("SELECT 1")

        await database.write(user, work)
    assert [event.pool for event in told if isinstance(event, PoolWaited)] == ["write"]
