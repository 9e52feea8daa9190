"""A Postgres that does not answer: a few wait for it, then one a second, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rag_core.adapters.postgres import Database, PostgresEpochs, open_database
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable
from rag_core.events import BreakerChanged, Event
from rag_core.guard import Breaker, BreakerRules, Deadline
from tests.servers.counting_proxy import CountingProxy, counting_proxy

RULES = BreakerRules(failures=2, window_s=10, open_s=1, probes=1, lease_s=10)
TIMEOUT_S = 0.2


@pytest.fixture
async def proxy(own_database: str) -> AsyncIterator[CountingProxy]:
    async with counting_proxy(own_database) as proxy:
        yield proxy


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def breaker(clock: ManualClock, events: list[Event]) -> Breaker:
    return Breaker("postgres", clock=clock, rules=RULES, listener=events.append)


@asynccontextmanager
async def guarded(
    url: str, breaker: Breaker, patience_s: float = TIMEOUT_S
) -> AsyncIterator[Database]:
    async with open_database(url, read_timeout_s=patience_s, breaker=breaker) as database:
        yield database


async def waits(database: Database) -> bool:
    """Whether a read waits for its whole time; else it was refused at once."""
    with pytest.raises(DatabaseUnavailable) as failed:
        await database.fetch("SELECT 1")
    return failed.value.retry_after_s is None


async def test_a_frozen_server_keeps_two_waiting_and_then_one_at_a_time(
    proxy: CountingProxy, breaker: Breaker, clock: ManualClock, events: list[Event]
) -> None:
    async with guarded(proxy.url, breaker) as database:
        proxy.freeze()
        assert [await waits(database) for _ in range(5)] == [True, True, False, False, False]
        clock.advance(1)
        assert sorted(await asyncio.gather(*(waits(database) for _ in range(5)))) == [
            *[False] * 4,
            True,
        ]
        proxy.resume()
        clock.advance(1)
        async with asyncio.timeout(30):
            while breaker.state != "closed":
                await probe(database, clock)
        assert await database.fetch("SELECT 1") == [(1,)]
    assert events[0] == BreakerChanged("postgres", "closed", "open")
    assert events[-1] == BreakerChanged("postgres", "half-open", "closed")


async def probe(database: Database, clock: ManualClock) -> None:
    """Its pool may still be connecting."""
    try:
        await database.fetch("SELECT 1")
    except DatabaseUnavailable:
        clock.advance(1)


async def test_epochs_of_a_frozen_server_fail_at_once_too(
    proxy: CountingProxy, breaker: Breaker
) -> None:
    async with (
        guarded(proxy.url, breaker) as database,
        PostgresEpochs(database).connected() as epochs,
    ):
        assert await epochs([UserId("ruth")]) == {}
        proxy.freeze()
        refused = []
        for _ in range(4):
            with pytest.raises(DatabaseUnavailable) as failed:
                await epochs([UserId("ruth")])
            refused.append(failed.value.retry_after_s is not None)
        assert refused == [False, False, True, True]


async def test_epochs_on_a_line_are_refused_when_other_reads_went_unanswered(
    proxy: CountingProxy, breaker: Breaker, clock: ManualClock
) -> None:
    async with (
        guarded(proxy.url, breaker) as database,
        PostgresEpochs(database).connected() as epochs,
    ):
        proxy.freeze()
        assert [await waits(database) for _ in range(2)] == [True, True]
        assert epochs.on_line
        with pytest.raises(DatabaseUnavailable) as failed:
            await epochs([UserId("ruth")])
        assert failed.value.retry_after_s
        assert epochs.on_line, "it was not asked on"


async def test_a_request_without_time_says_nothing_of_the_server(
    proxy: CountingProxy, breaker: Breaker, clock: ManualClock
) -> None:
    async with guarded(proxy.url, breaker) as database:
        proxy.freeze()
        for _ in range(4):
            with Deadline(TIMEOUT_S / 20, clock).applied():
                assert await waits(database)
    assert breaker.state == "closed"


async def test_a_connection_that_was_lost_costs_no_failure(
    proxy: CountingProxy, breaker: Breaker
) -> None:
    async with guarded(proxy.url, breaker, patience_s=30) as database:
        for _ in range(4):
            await database.fetch("SELECT 1")
            proxy.cut()
            assert await database.fetch("SELECT 1") == [(1,)]
    assert breaker.state == "closed"
