"""The link to Redis: whatever the server does, a call ends in time and the link heals itself."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rag_core.adapters.redis.link import CONCURRENT_CALLS, RedisLink, open_link
from rag_core.guard.allowance import Allowance, has_failed

from rag_core.clock import ManualClock
from rag_core.errors import CacheUnavailable, ConfigurationError
from rag_core.guard.breaker import Breaker
from rag_core.user import UserId
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault, bulk, fake_server
from tests.rag_core.adapters.redis.own_valkey import OwnValkey
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
PARTS: list[bytes | None] = [None, b"HELLO", b"INFO", b"CLIENT", b"GET"]


@pytest.fixture
def breaker(clock: ManualClock) -> Breaker:
    return Breaker("redis", clock=clock, open_s=1.0, probes=1)


@pytest.fixture
async def broken(
    fake: FakeServer, clock: ManualClock, breaker: Breaker
) -> AsyncIterator[RedisLink]:
    """A link to the server that plays faults."""
    async with open_link(fake.url, clock=clock, breaker=breaker) as link:
        yield link


async def get(link: RedisLink, key: str = "key") -> object:
    return await link.call(link.client.get(key))


async def works(link: RedisLink) -> bool:
    try:
        await get(link)
    except CacheUnavailable:
        return False
    return True


async def fail_until_open(link: RedisLink, breaker: Breaker) -> int:
    """How many calls it took; each of them ended, and failed in our words.

    Five on an idle machine: a call that our own loop kept waiting does not count.
    """
    for calls in range(1, 1000):
        with pytest.raises(CacheUnavailable):
            await asyncio.wait_for(get(link), PATIENCE_S)
        if breaker.state == "open":
            return calls
    raise AssertionError("the breaker never opened")


async def heals(link: RedisLink, clock: ManualClock) -> None:
    """Calls come through again, with nothing done but going on and time passing."""

    async def next_call() -> bool:
        clock.advance(1)
        return await works(link)

    await eventually(next_call)


@pytest.mark.parametrize(
    "reply",
    [Fault.STALL, Fault.CUT, b"WHAT\r\n", b"-LOADING Redis is loading the dataset in memory\r\n"],
    ids=["stalls", "cuts", "garbage", "loading"],
)
async def test_a_server_in_trouble_is_left_alone_and_taken_back_by_itself(
    broken: RedisLink, fake: FakeServer, clock: ManualClock, breaker: Breaker, reply: bytes | Fault
) -> None:
    assert await works(broken)
    fake.always(reply)
    assert await fail_until_open(broken, breaker) >= 5
    asked = fake.commands.total()
    for _ in range(20):
        assert not await works(broken)
    assert fake.commands.total() == asked, "left alone"
    fake.behave()
    await heals(broken, clock)
    assert breaker.state == "closed"


async def test_while_it_is_open_the_server_is_tested_once_in_a_while_by_no_request(
    broken: RedisLink, fake: FakeServer, clock: ManualClock, breaker: Breaker
) -> None:
    """The calls that start the probe do not wait for it, though the server hangs."""
    fake.always(Fault.STALL, but=(b"HELLO", b"CLIENT", b"INFO"))
    await fail_until_open(broken, breaker)
    tested = fake.commands[b"PING"]
    clock.advance(1)
    for _ in range(20):
        with pytest.raises(CacheUnavailable, match="left alone"):
            await get(broken)
    await eventually(lambda: breaker.state == "open")
    assert fake.commands[b"PING"] <= tested + 1
    assert not await works(broken)
    assert breaker.state == "open", "and its time begins anew"


async def test_a_probe_that_gets_a_wrong_answer_does_not_close_the_breaker(
    broken: RedisLink, fake: FakeServer, clock: ManualClock, breaker: Breaker
) -> None:
    fake.script = {b"GET": b"WHAT\r\n", b"PING": b"+WHAT\r\n"}.get
    await fail_until_open(broken, breaker)
    clock.advance(1)
    assert not await works(broken)
    assert breaker.state == "half-open"
    await eventually(lambda: breaker.state != "half-open")
    assert breaker.state == "open"


@pytest.mark.parametrize("part", PARTS, ids=lambda part: (part or b"all").decode())
@pytest.mark.parametrize("reply", GARBAGE, ids=range(len(GARBAGE)))
async def test_garbage_anywhere_is_a_reply_or_an_unavailable_cache_and_is_got_over(
    fake: FakeServer, clock: ManualClock, reply: bytes, part: bytes | None
) -> None:
    """In the handshake too, with and without a password."""
    for url in (fake.url, f"{fake.url}?password=secret"):
        async with open_link(url, clock=clock) as link:
            fake.script = lambda name: reply if part in (None, name) else None
            fake.cut_all()
            for _ in range(3):
                await asyncio.wait_for(works(link), PATIENCE_S)
            fake.behave()
            await heals(link, clock)


@pytest.mark.parametrize(
    "reply",
    [
        b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
        b"-READONLY You can't write against a read only replica.\r\n",
        b"-ERR unknown command\r\n",
        b"-WRONGTYPE Operation against a key\r\n",
    ],
    ids=["full", "replica", "unknown", "type"],
)
async def test_a_server_that_refuses_is_unavailable_for_that_call_but_not_in_trouble(
    broken: RedisLink, fake: FakeServer, breaker: Breaker, reply: bytes
) -> None:
    fake.script = {b"SET": reply}.get
    for _ in range(20):
        with pytest.raises(CacheUnavailable, match="refused"):
            await broken.call(broken.client.set("key", "value"), timeout_s=PATIENCE_S)
    assert breaker.state == "closed"


async def test_a_server_that_is_not_there_yet_is_used_when_it_comes(
    tmp_path: Path, clock: ManualClock, breaker: Breaker
) -> None:
    socket = tmp_path / "late.sock"
    async with open_link(f"unix://{socket}", clock=clock, breaker=breaker) as link:
        await fail_until_open(link, breaker)
        async with fake_server(socket):
            await heals(link, clock)
            await link.aclose()


async def test_a_frozen_server_fails_calls_in_time_and_is_back_when_it_thaws(
    valkey: OwnValkey, clock: ManualClock, breaker: Breaker
) -> None:
    async with open_link(valkey.url, clock=clock, breaker=breaker) as link:
        await eventually(lambda: works(link))
        life = link.run_id
        with valkey.frozen():
            await fail_until_open(link, breaker)
            clock.advance(1)
            assert not await works(link)
            await eventually(lambda: breaker.state == "open")
        await heals(link, clock)
        assert link.run_id == life


async def test_the_late_reply_to_a_call_given_up_is_never_taken_for_the_next_ones(
    valkey: OwnValkey, clock: ManualClock
) -> None:
    async with open_link(valkey.url, clock=clock, call_timeout_s=PATIENCE_S) as link:
        await link.call(link.client.mset({"first": "1", "second": "2"}))
        with valkey.frozen():
            for _ in range(3):
                with pytest.raises(CacheUnavailable):
                    await link.call(link.client.get("first"), timeout_s=0.01)
            gone = asyncio.create_task(get(link, "first"))
            await settled()
            gone.cancel()
            await asyncio.wait([gone])
        assert [await get(link, "second") for _ in range(5)] == [b"2"] * 5


async def test_a_killed_server_is_another_one_after_its_restart(
    valkey: OwnValkey, clock: ManualClock
) -> None:
    async with open_link(valkey.url, clock=clock) as link:
        await link.connected()
        life = link.run_id
        assert life
        await valkey.kill()
        assert not await works(link)
        await valkey.start()
        await heals(link, clock)
        assert link.run_id not in (b"", life)


async def test_many_more_calls_than_connections_are_all_answered(
    link: RedisLink, user: UserId
) -> None:
    key = f"rag:{{{user}}}:count"
    replies = await asyncio.gather(
        *(link.call(link.client.incr(key)) for _ in range(10 * CONCURRENT_CALLS))
    )
    await link.client.delete(key)
    assert sorted(replies) == list(range(1, 10 * CONCURRENT_CALLS + 1))


async def test_a_call_cancelled_before_its_turn_leaves_nothing_behind(
    fake: FakeServer, clock: ManualClock
) -> None:
    """No 'coroutine was never awaited': warnings are errors here."""
    async with open_link(fake.url, clock=clock, call_timeout_s=PATIENCE_S) as link:
        fake.script = {b"GET": Fault.STALL}.get
        calls = [asyncio.create_task(get(link)) for _ in range(CONCURRENT_CALLS + 1)]
        await eventually(lambda: fake.commands[b"GET"] == CONCURRENT_CALLS)
        for call in reversed(calls):
            call.cancel()
        await asyncio.wait(calls)
        assert all(call.cancelled() for call in calls)
        assert fake.commands[b"GET"] == CONCURRENT_CALLS
        gc.collect()
        fake.behave()
        assert await works(link)


async def test_the_first_call_finds_its_connection_open(
    broken: RedisLink, fake: FakeServer
) -> None:
    assert broken.run_id
    handshakes = fake.commands[b"HELLO"]
    await get(broken)
    assert fake.commands[b"HELLO"] == handshakes


async def test_a_call_that_failed_is_noted_in_its_request(
    broken: RedisLink, fake: FakeServer
) -> None:
    """So that the request does not try its luck again and again."""
    allowance = Allowance(PATIENCE_S)
    with allowance.applied():
        assert await works(broken)
        assert not has_failed()
        fake.always(Fault.CUT)
        assert not await works(broken)
        assert has_failed()
    assert not has_failed()


async def test_failures_with_successes_between_them_leave_the_link_as_it_is(
    fake: FakeServer, clock: ManualClock
) -> None:
    """One slow call in a hundred is no reason to do without the cache."""
    async with open_link(fake.url, clock=clock) as link:
        for _ in range(20):
            fake.always(Fault.CUT)
            assert not await works(link)
            fake.behave()
            await eventually(lambda: works(link))


async def test_a_link_that_is_closed_while_it_tests_the_server_leaves_nothing_behind(
    fake: FakeServer, clock: ManualClock, breaker: Breaker
) -> None:
    async with open_link(fake.url, clock=clock, breaker=breaker, call_timeout_s=0.02) as link:
        fake.always(Fault.STALL)
        await fail_until_open(link, breaker)
        clock.advance(1)
        assert not await works(link)
        await settled()
    assert breaker.state in ("half-open", "open")
    clock.advance(1)
    assert breaker.admit(), "the probe that was given up takes up no room"


async def test_a_request_that_has_used_up_its_time_goes_on_without_asking(
    broken: RedisLink, fake: FakeServer, breaker: Breaker
) -> None:
    asked = fake.commands.total()
    with Allowance(0.0).applied(), pytest.raises(CacheUnavailable):
        await get(broken)
    assert fake.commands.total() == asked
    assert breaker.state == "closed"


async def test_the_calls_of_a_request_share_its_time(broken: RedisLink, fake: FakeServer) -> None:
    allowance = Allowance(PATIENCE_S)
    with allowance.applied():
        await get(broken)
        after_one = allowance.left_s
        await get(broken)
    assert PATIENCE_S > after_one > allowance.left_s


async def test_a_hanging_call_uses_up_the_time_of_its_request(
    broken: RedisLink, fake: FakeServer
) -> None:
    fake.always(Fault.STALL)
    allowance = Allowance(0.02)
    with allowance.applied():
        assert not await works(broken)
        assert allowance.left_s == 0
        asked = fake.commands.total()
        assert not await works(broken)
    assert fake.commands.total() == asked


async def test_a_call_with_a_time_of_its_own_is_not_charged_to_the_request(
    broken: RedisLink,
) -> None:
    allowance = Allowance(0.5)
    with allowance.applied():
        await broken.call(broken.client.get("key"), timeout_s=PATIENCE_S)
    assert allowance.left_s == 0.5


@pytest.mark.parametrize("url", ["not a url", "http://localhost", "redis://host:port"])
async def test_a_url_that_cannot_be_understood_is_refused_by_name(
    clock: ManualClock, url: str
) -> None:
    with pytest.raises(ConfigurationError, match="RAG_REDIS_URL"):
        async with open_link(url, clock=clock):
            pass
