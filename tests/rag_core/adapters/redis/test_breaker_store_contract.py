"""Every store of a breaker's state: what was read last decides who may write."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from rag_core.adapters.redis import RedisBreakerStore, RedisClient, open_client
from rag_core.clock import ManualClock, SystemClock
from rag_core.errors import BreakerOpen, CacheUnavailable
from rag_core.guard import (
    VIEW_S,
    Breaker,
    BreakerRules,
    BreakerStore,
    Circuit,
    MemoryBreakerStore,
    Probe,
)
from tests.rag_core.adapters.redis.fake_server import FakeServer
from tests.rag_core.cache.parts import PATIENCE_S

HALF_OPEN = Circuit("half-open", since=12.5, passed=1, probe=Probe("token", 13.25))
CLOSED = Circuit(failed_at=(1.0, 2.5))


@pytest.fixture
def name() -> str:
    return f"provider-{uuid4().hex[:12]}"


@pytest.fixture(params=["memory", "redis"])
def stores(request: pytest.FixtureRequest, name: str) -> tuple[BreakerStore, BreakerStore]:
    """The store as two workers have it."""
    if request.param == "memory":
        shared = MemoryBreakerStore(SystemClock())
        return shared, shared
    clients = (request.getfixturevalue("client"), request.getfixturevalue("other_client"))
    ours, theirs = (RedisBreakerStore(each, name, timeout_s=PATIENCE_S) for each in clients)
    return ours, theirs


async def test_nothing_is_a_circuit_that_was_never_used(
    stores: tuple[BreakerStore, BreakerStore],
) -> None:
    assert (await stores[0].read()).circuit == Circuit()


@pytest.mark.parametrize("circuit", [HALF_OPEN, CLOSED], ids=lambda circuit: circuit.state)
async def test_what_one_worker_writes_another_reads(
    stores: tuple[BreakerStore, BreakerStore], circuit: Circuit
) -> None:
    ours, theirs = stores
    written = await ours.swap(await ours.read(), circuit)
    assert (written.swapped, written.circuit) == (True, circuit)
    assert (await theirs.read()).circuit == circuit


async def test_of_two_who_read_the_same_one_writes_and_the_other_learns_what(
    stores: tuple[BreakerStore, BreakerStore],
) -> None:
    ours, theirs = stores
    before, also = await ours.read(), await theirs.read()
    await ours.swap(before, HALF_OPEN)
    late = await theirs.swap(also, CLOSED)
    assert (late.swapped, late.circuit) == (False, HALF_OPEN)
    again = await theirs.swap(late, CLOSED)
    assert again.swapped


async def test_its_time_goes_on(stores: tuple[BreakerStore, BreakerStore]) -> None:
    first = await stores[0].read()
    second = await stores[1].read()
    assert 0 <= second.now_s - first.now_s < PATIENCE_S
    assert first.now_s == pytest.approx(SystemClock().now(), abs=PATIENCE_S)


async def test_breakers_on_it_open_together_and_admit_one_probe(
    stores: tuple[BreakerStore, BreakerStore],
) -> None:
    """The time for which it is open is over as soon as it begins: nobody waits for it here."""
    clock, rules = SystemClock(), BreakerRules(open_s=1e-9)
    fleet = [Breaker("provider", clock=clock, rules=rules, store=store) for store in stores]
    for turn in range(5):
        breaker = fleet[turn % 2]
        await breaker.failed(await breaker.admit())
    assert fleet[0].state == "open"
    asked = await asyncio.gather(*map(probes, fleet * 4))
    assert sum(asked) == 1


async def probes(breaker: Breaker) -> bool:
    try:
        return bool((await breaker.admit()).probe)
    except BreakerOpen:
        return False


# Redis alone


async def test_what_is_not_ours_in_the_key_counts_as_nothing_and_is_written_over(
    client: RedisClient, name: str
) -> None:
    store = RedisBreakerStore(client, name, timeout_s=PATIENCE_S)
    for garbage in (b"garbage", b'{"state": "ajar"}', b"[]", b"\xff"):
        await client.execute("SET", f"rag:{{breaker:{name}}}:circuit", garbage)
        held = await store.read()
        assert held.circuit == Circuit()
        assert (await store.swap(held, CLOSED)).swapped


async def test_a_reply_that_makes_no_sense_is_an_unavailable_store(
    fake: FakeServer,
) -> None:
    for reply in (b"+OK\r\n", b":1\r\n", b"*0\r\n", b"*3\r\n:0\r\n$0\r\n\r\n*0\r\n"):
        async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
            fake.script = {b"EVAL": reply}.get
            with pytest.raises(CacheUnavailable):
                await RedisBreakerStore(client, "provider", timeout_s=PATIENCE_S).read()


async def test_the_state_of_a_dependency_that_nobody_calls_is_not_kept_for_ever(
    client: RedisClient, name: str
) -> None:
    store = RedisBreakerStore(client, name, timeout_s=PATIENCE_S)
    await store.swap(await store.read(), CLOSED)
    assert 0 < await client.execute("PTTL", f"rag:{{breaker:{name}}}:circuit") <= 86_400_000


async def test_a_server_that_lost_all_or_was_away_is_told_what_the_workers_know(
    client: RedisClient, name: str
) -> None:
    clock = ManualClock(SystemClock().now())
    store = RedisBreakerStore(client, name, timeout_s=PATIENCE_S)
    ours, theirs = (Breaker(name, clock=clock, store=store) for _ in range(2))
    for _ in range(5):
        await ours.failed(await ours.admit())
    await client.execute("UNLINK", f"rag:{{breaker:{name}}}:circuit")
    clock.advance(VIEW_S)
    for breaker in (ours, theirs):
        with pytest.raises(BreakerOpen):
            await breaker.admit()
