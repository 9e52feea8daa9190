"""Callers of the client of Redis that go away, and the client closed under them."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest

from rag_core.adapters.redis import (
    CONCURRENT_CALLS,
    RedisClient,
    open_client,
)
from rag_core.domain import UserId
from rag_core.embedded import OwnValkey
from rag_core.errors import CacheUnavailable
from rag_core.guard import TimeBudget
from tests.rag_core.adapters.redis.client_calls import (
    MENDING,
    asked,
    fails,
    get,
    works,
)
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.cache.parts import PATIENCE_S, settled
from tests.rag_core.embedded.processes import eventually


async def test_a_call_that_is_given_up_in_the_middle_of_its_reply_takes_its_connection_along(
    patient: RedisClient, fake: FakeServer
) -> None:
    """What comes late over it is nobody's; and that the caller left is no fault of Redis."""
    fake.script = {b"GET": Fault.STALL}.get
    open_before = fake.open
    call = asyncio.create_task(get(patient))
    await eventually(lambda: asked(fake) == 1)
    call.cancel()
    await asyncio.wait([call])
    assert call.cancelled()
    await eventually(lambda: fake.open == open_before - 1)
    fake.behave()
    assert patient.up
    assert await works(patient)


async def test_the_late_reply_to_a_call_given_up_is_never_taken_for_the_next_ones(
    valkey: OwnValkey,
) -> None:
    async with open_client(valkey.url, call_timeout_s=PATIENCE_S) as client:
        await client.execute("SET", "first", "1")
        await client.execute("SET", "second", "2")
        with valkey.frozen():
            for _ in range(3):
                with TimeBudget(0.01).applied(), pytest.raises(CacheUnavailable):
                    await get(client, "first")
            gone = asyncio.create_task(get(client, "first"))
            await settled()
            gone.cancel()
            await asyncio.wait([gone])
        assert [await get(client, "second") for _ in range(5)] == [b"2"] * 5


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_goes_away_whenever_nobody_gets_anothers_reply(
    client: RedisClient, user: UserId, seed: int
) -> None:
    draw = random.Random(seed)
    keys = [f"rag:{{{user}}}:{number}" for number in range(40)]
    for key in keys:
        await client.execute("SET", key, key, "EX", 60)

    async def ask(key: str) -> None:
        assert await get(client, key) == key.encode()

    async def ask_and_leave(key: str) -> None:
        call = asyncio.create_task(ask(key))
        for _ in range(draw.randrange(12)):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled() or call.exception() is None

    for _ in range(10):
        chosen = draw.choices(keys, k=30)
        await asyncio.gather(
            *(ask_and_leave(key) if draw.random() < 0.5 else ask(key) for key in chosen)
        )


async def test_a_call_cancelled_before_its_turn_leaves_nothing_behind(
    patient: RedisClient, fake: FakeServer
) -> None:
    """No 'coroutine was never awaited': warnings are errors here."""
    fake.script = {b"GET": Fault.STALL}.get
    calls = [asyncio.create_task(get(patient)) for _ in range(CONCURRENT_CALLS + 1)]
    await eventually(lambda: fake.commands[b"GET"] == CONCURRENT_CALLS)
    for call in reversed(calls):
        call.cancel()
    await asyncio.wait(calls)
    assert all(call.cancelled() for call in calls)
    assert fake.commands[b"GET"] == CONCURRENT_CALLS
    gc.collect()
    fake.behave()
    assert await works(patient)


async def test_many_more_calls_than_connections_are_all_answered(
    client: RedisClient, user: UserId
) -> None:
    keys = [f"rag:{{{user}}}:{number}" for number in range(10 * CONCURRENT_CALLS)]
    await asyncio.gather(*(client.execute("SET", key, key, "EX", 60) for key in keys))
    replies = await asyncio.gather(*(get(client, key) for key in keys))
    assert replies == [key.encode() for key in keys]


def other_tasks() -> set[asyncio.Task[object]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def test_a_client_that_is_closed_while_it_mends_leaves_nothing_behind(
    fake: FakeServer,
) -> None:
    ours = other_tasks()
    async with open_client(fake.url) as client:
        fake.always(Fault.STALL, but=MENDING[:2])
        await fails(client)
        await settled()
    fake.cut_all()
    await eventually(lambda: other_tasks() <= ours)


async def test_a_call_under_way_when_the_client_is_closed_fails_and_mends_nothing(
    fake: FakeServer,
) -> None:
    ours = other_tasks()
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        fake.script = {b"GET": Fault.STALL}.get
        calls = [asyncio.create_task(works(client)) for _ in range(2 * CONCURRENT_CALLS)]
        await eventually(lambda: fake.commands[b"GET"] == CONCURRENT_CALLS)
    assert await asyncio.gather(*calls) == [False] * len(calls)
    opened = fake.connections
    await eventually(lambda: other_tasks() <= ours)
    assert fake.connections == opened


async def test_a_call_after_the_client_was_closed_fails_and_opens_nothing(
    fake: FakeServer,
) -> None:
    async with open_client(fake.url) as client:
        assert await works(client)
    opened = fake.connections
    assert not await works(client)
    assert fake.connections == opened
