"""The client of Redis: whatever the server does, calls end in time and the client mends itself."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from rag_core.adapters.redis import (
    CONCURRENT_CALLS,
    RedisClient,
    open_client,
)
from rag_core.errors import CacheUnavailable
from tests.rag_core.adapters.redis.client_calls import (
    asked,
    fails,
    get,
    mended,
    works,
)
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault, bulk
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
