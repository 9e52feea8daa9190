"""The time that a request has for Redis: who is blamed when it is over."""

from __future__ import annotations

import asyncio
import time

import pytest

from rag_core.adapters.redis import (
    CALL_TIMEOUT_S,
    CONCURRENT_CALLS,
    RedisClient,
    open_client,
)
from rag_core.embedded import OwnValkey
from rag_core.errors import CacheUnavailable
from rag_core.guard import TimeBudget
from tests.rag_core.adapters.redis.client_calls import (
    asked,
    get,
    mended,
    works,
)
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.embedded.processes import eventually


async def test_a_request_that_has_used_up_its_time_goes_on_without_asking(
    broken: RedisClient, fake: FakeServer
) -> None:
    with TimeBudget(0.0).applied(), pytest.raises(CacheUnavailable, match="used up"):
        await get(broken)
    assert asked(fake) == 0
    assert broken.up


async def test_the_calls_of_a_request_share_its_time(patient: RedisClient) -> None:
    budget = TimeBudget(PATIENCE_S)
    left = []
    with budget.applied():
        for _ in range(2):
            await get(patient)
            left.append(budget.left_s)
    assert PATIENCE_S > left[0] > left[1] > 0


async def test_a_hanging_call_uses_up_the_time_of_its_request(
    broken: RedisClient, fake: FakeServer
) -> None:
    fake.always(Fault.STALL)
    budget = TimeBudget(0.02)
    with budget.applied():
        assert not await works(broken)
        assert budget.left_s == 0
        reached = asked(fake)
        assert not await works(broken)
    assert asked(fake) == reached


async def test_a_call_that_had_most_of_its_time_blames_redis(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_core.adapters.redis.client.OURS_S", 60.0)  # our loop is never late
    async with open_client(fake.url, call_timeout_s=0.012) as client:
        await eventually(lambda: client.up)
        fake.script = {b"GET": Fault.STALL}.get
        with TimeBudget(0.01).applied():
            assert not await works(client)
        assert not client.up


async def test_a_call_that_had_little_time_left_blames_its_own_request_and_not_redis(
    patient: RedisClient, fake: FakeServer
) -> None:
    """Others go on asking, until so many in a row had no reply that it must be Redis."""
    for last, reply in ((CONCURRENT_CALLS - 1, None), (CONCURRENT_CALLS, Fault.STALL)):
        for _ in range(last):
            assert patient.up
            fake.script = {b"GET": Fault.STALL}.get
            with TimeBudget(0.01).applied():
                assert not await works(patient)
        fake.script = {b"GET": reply}.get if reply else lambda name: None
        assert patient.up == (reply is None) == await works(patient)


async def test_a_call_that_was_late_while_our_own_loop_was_busy_does_not_blame_redis(
    fake: FakeServer,
) -> None:
    async with open_client(fake.url) as client:
        await mended(client)
        fake.script = {b"GET": Fault.STALL}.get
        call = asyncio.create_task(get(client))
        await asyncio.sleep(0)  # by now it is sent
        time.sleep(2 * CALL_TIMEOUT_S)  # noqa: ASYNC251 - being busy, not waiting
        with pytest.raises(CacheUnavailable, match="TimeoutError"):
            await call
        assert client.up


async def test_a_reply_that_came_while_our_own_loop_was_busy_counts(
    valkey: OwnValkey,
) -> None:
    """However long that was: Redis answered in time, we did not look."""
    async with open_client(valkey.url) as client:
        await mended(client)
        call = asyncio.create_task(client.execute("SET", "key", "value"))
        await asyncio.sleep(0)  # by now it is sent
        time.sleep(2 * CALL_TIMEOUT_S)  # noqa: ASYNC251 - being busy, not waiting
        assert await call is True
        assert client.up
