"""The client of Redis: whatever the server does, calls end in time and the client mends itself."""

from __future__ import annotations

import asyncio
import gc
import itertools
import random
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rag_core.adapters.redis import (
    CALL_TIMEOUT_S,
    CONCURRENT_CALLS,
    RedisClient,
    open_client,
)
from rag_core.domain import UserId
from rag_core.embedded import OwnValkey
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.guard import TimeBudget
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault, bulk, fake_server
from tests.rag_core.cache.parts import PATIENCE_S, settled
from tests.rag_core.embedded.processes import eventually

GARBAGE = [
    b"WHAT\r\n",
    b"\x00\xff\xfe\r\n\r\n",
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"$-7\r\n",
    b"*3\r\n:1\r\n",
    b":not a number\r\n",
    b"+OK\r\n+OK\r\n+OK\r\n",
    b":7\r\n",
    b"_\r\n",
    b"*0\r\n",
    b"*2\r\n$1\r\na\r\n*1\r\n:300\r\n",
    b"%1\r\n+a\r\n+b\r\n",
    bulk(b"\xff"),
]
PARTS: list[bytes | None] = [None, b"HELLO", b"PING", b"CLIENT", b"GET"]

# What mending is made of, and no request.
MENDING = (b"HELLO", b"CLIENT", b"PING")


@pytest.fixture
async def broken(fake: FakeServer) -> AsyncIterator[RedisClient]:
    """A client of the server that plays faults."""
    async with open_client(fake.url) as client:
        yield client


@pytest.fixture
async def patient(fake: FakeServer) -> AsyncIterator[RedisClient]:
    """The same, with time enough for each call to be seen in the middle of it."""
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        yield client


def asked(fake: FakeServer) -> int:
    """How many commands of requests have reached the server."""
    return sum(count for name, count in fake.commands.items() if name not in MENDING)


async def get(client: RedisClient, key: str = "key") -> object:
    return await client.execute("GET", key)


async def works(client: RedisClient) -> bool:
    try:
        await asyncio.wait_for(get(client), PATIENCE_S)
    except CacheUnavailable:
        return False
    return True


async def fails(client: RedisClient) -> None:
    """Redis is in trouble by now: a call has failed, and it is left alone.

    A single one is enough, except where our own machine was too busy to blame the server.
    """

    async def left_alone() -> bool:
        assert not await works(client)
        return not client.up

    await eventually(left_alone)


async def mended(client: RedisClient) -> None:
    """Calls come through again, with nothing done for it by them."""
    await eventually(lambda: client.up)
    await eventually(lambda: works(client))


TROUBLE = pytest.mark.parametrize(
    "reply",
    [Fault.STALL, Fault.CUT, b"WHAT\r\n", b"-LOADING Redis is loading the dataset in memory\r\n"],
    ids=["stalls", "cuts", "garbage", "loading"],
)


@TROUBLE
async def test_a_server_in_trouble_is_left_alone_and_taken_back_by_itself(
    broken: RedisClient, fake: FakeServer, reply: bytes | Fault
) -> None:
    assert await works(broken)
    fake.always(reply)
    await fails(broken)
    reached = asked(fake)
    for _ in range(20):
        with pytest.raises(CacheUnavailable, match="left alone"):
            await get(broken)
    assert asked(fake) == reached
    fake.behave()
    await mended(broken)


async def test_one_failure_is_enough(broken: RedisClient, fake: FakeServer) -> None:
    fake.always(Fault.CUT)
    assert not await works(broken)
    assert not broken.up
    assert asked(fake) == 1


async def test_those_who_wait_for_their_turn_when_it_fails_do_not_try(
    patient: RedisClient, fake: FakeServer
) -> None:
    fake.script = {b"GET": Fault.STALL}.get
    calls = [asyncio.create_task(works(patient)) for _ in range(5 * CONCURRENT_CALLS)]
    await eventually(lambda: asked(fake) == CONCURRENT_CALLS)
    fake.cut_all()
    assert await asyncio.gather(*calls) == [False] * len(calls)
    assert asked(fake) == CONCURRENT_CALLS


async def test_it_is_not_taken_back_before_every_connection_answers(
    broken: RedisClient, fake: FakeServer
) -> None:
    turn = itertools.count()
    fake.always(Fault.CUT)
    await fails(broken)
    fake.script = lambda name: b"+WHAT\r\n" if name == b"PING" and next(turn) % 3 == 0 else None
    pings = fake.commands[b"PING"]
    await eventually(lambda: fake.commands[b"PING"] >= pings + 4 * CONCURRENT_CALLS)
    assert not broken.up
    fake.behave()
    await mended(broken)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: (part or b"all").decode())
async def test_garbage_anywhere_is_a_reply_or_an_unavailable_cache_and_is_got_over(
    fake: FakeServer,
    monkeypatch: pytest.MonkeyPatch,
    part: bytes | None,
    subtests: pytest.Subtests,
) -> None:
    """In the handshake too, with and without a password."""
    monkeypatch.setattr("rag_core.adapters.redis.client.CONNECT_TIMEOUT_S", 0.5)
    urls = (fake.url, fake.url.replace("unix://", "unix://:secret@"))
    for reply, url in itertools.product(GARBAGE, urls):
        with subtests.test(reply=reply, url=url):
            await garbage_is_got_over(fake, url, reply, part)


async def garbage_is_got_over(fake: FakeServer, url: str, reply: bytes, part: bytes | None) -> None:
    async with open_client(url) as client:
        fake.script = lambda name: reply if part in (None, name) else None
        fake.cut_all()
        for _ in range(3):
            await works(client)
        fake.behave()
        await mended(client)


async def test_a_server_that_refuses_is_unavailable_for_that_call_but_not_in_trouble(
    patient: RedisClient, fake: FakeServer, subtests: pytest.Subtests
) -> None:
    for reply in [
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-ERR unknown command\r\n",
        b"-WRONGTYPE Operation against a key\r\n",
    ]:
        with subtests.test(reply=reply):
            fake.script = {b"SET": reply}.get
            for _ in range(20):
                with pytest.raises(CacheUnavailable, match="refused"):
                    await patient.execute("SET", "key", "value")
            assert patient.up
            assert await works(patient)


# Connecting


async def test_the_first_call_finds_its_connection_open(
    broken: RedisClient, fake: FakeServer
) -> None:
    opened = fake.connections
    assert opened >= 1
    await get(broken)
    assert fake.connections == opened


async def test_a_server_that_is_not_there_yet_is_used_when_it_comes(tmp_path: Path) -> None:
    socket = tmp_path / "late.sock"
    async with open_client(f"unix://{socket}") as client:
        assert not client.up
        async with fake_server(socket):
            await mended(client)
            await client.aclose()


async def test_a_server_that_hangs_does_not_keep_a_process_from_starting(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_core.adapters.redis.client.FIRST_CONNECT_TIMEOUT_S", 0.01)
    fake.always(Fault.STALL)
    async with open_client(fake.url) as client:
        assert not client.up
        fake.behave()
        fake.cut_all()
        await mended(client)


async def test_a_server_to_which_connecting_takes_longer_than_a_call_may_is_used_all_the_same(
    fake: FakeServer,
) -> None:
    """Connections are made in the background, and kept."""
    fake.connect_s = CALL_TIMEOUT_S + 0.01
    async with open_client(fake.url) as client:
        assert await works(client), "from the start"
        fake.cut_all()
        await fails(client)
        await mended(client)


async def test_a_frozen_server_fails_calls_in_time_and_is_back_when_it_thaws(
    valkey: OwnValkey,
) -> None:
    async with open_client(valkey.url) as client:
        await mended(client)
        with valkey.frozen():
            await fails(client)
        await mended(client)


async def test_a_killed_server_is_used_again_after_its_restart(valkey: OwnValkey) -> None:
    async with open_client(valkey.url) as client:
        await mended(client)
        await valkey.kill()
        await fails(client)
        await valkey.start()
        await mended(client)


async def test_a_url_that_cannot_be_understood_is_refused_by_name(
    subtests: pytest.Subtests,
) -> None:
    for url in ["not a url", "http://localhost", "redis://host:port"]:
        with subtests.test(url=url), pytest.raises(ConfigurationError, match="RAG_REDIS_URL"):
            async with open_client(url):
                pass


# Callers that go away


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


# Closing


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


# The time that a request has for Redis


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
