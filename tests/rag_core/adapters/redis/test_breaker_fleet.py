"""A breaker that processes share: one probe at a time, killed probers, Redis away and back."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from rag_core.adapters.redis import RedisBreakerStore, RedisClient, open_client
from rag_core.clock import ManualClock, SystemClock
from rag_core.embedded import OwnValkey, python_environment
from rag_core.errors import BreakerOpen
from rag_core.events import BreakerChanged, Event
from rag_core.guard import VIEW_S, Breaker, BreakerRules
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.embedded.processes import eventually

PROBER = Path(__file__).with_name("prober.py")
ROOT = Path(__file__).parents[4]
PROCESSES = 8


@pytest.fixture
def name() -> str:
    return f"provider-{uuid4().hex[:12]}"


@asynccontextmanager
async def prober(url: str, name: str, probes: int, lease_s: float) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(PROBER), url, name, str(probes), str(lease_s)),
        stdout=PIPE,
        env=python_environment() | {"PYTHONPATH": str(ROOT)},
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_eight_processes_never_have_two_probes_under_way(
    redis_url: str, client: RedisClient, name: str
) -> None:
    async with AsyncExitStack() as stack:
        probing = [
            await stack.enter_async_context(prober(redis_url, name, 200, 600.0))
            for _ in range(PROCESSES)
        ]
        async with asyncio.timeout(60):
            assert [await process.wait() for process in probing] == [0] * PROCESSES
    assert await client.execute("HMGET", f"{{{name}}}", "most") == [b"1"]


async def test_a_prober_that_is_killed_keeps_the_others_waiting_until_its_lease_ends(
    redis_url: str, client: RedisClient, name: str
) -> None:
    def breaker(lease_s: float) -> Breaker:
        store = RedisBreakerStore(client, name, timeout_s=PATIENCE_S)
        rules = BreakerRules(open_s=1e-9, lease_s=lease_s)
        return Breaker(name, clock=SystemClock(), rules=rules, store=store)

    async with prober(redis_url, name, 0, 600.0) as process:
        assert process.stdout
        await asyncio.wait_for(process.stdout.readline(), 60)
        process.kill()
        await process.wait()
    with pytest.raises(BreakerOpen):
        await breaker(lease_s=600.0).admit()
    ended = breaker(lease_s=1e-9)
    assert (await ended.admit()).probe


async def admits(breaker: Breaker) -> bool:
    try:
        return bool(await breaker.admit())
    except BreakerOpen:
        return False


async def test_without_redis_a_worker_goes_on_alone_and_joins_when_it_is_back(
    valkey: OwnValkey, name: str
) -> None:
    """What it found out alone is everyone's then, though the server lost all it held."""
    clock = SystemClock()
    events: list[Event] = []
    async with (
        open_client(valkey.url, listener=events.append) as client,
        open_client(valkey.url, call_timeout_s=PATIENCE_S) as other_client,
    ):
        ours, theirs = (
            Breaker(name, clock=clock, store=RedisBreakerStore(each, name, timeout_s=PATIENCE_S))
            for each in (client, other_client)
        )
        assert await admits(ours)
        assert await admits(theirs)
        await valkey.kill()
        for _ in range(5):
            await ours.failed(await ours.admit())
        assert not await admits(ours)
        assert await admits(theirs)

        await valkey.start()
        await eventually(lambda: client.up and other_client.up)

        async def both_know() -> bool:
            return not (await admits(ours) or await admits(theirs))

        await eventually(both_know)
    assert events == [
        BreakerChanged("redis", "closed", "open"),
        BreakerChanged("redis", "open", "closed"),
    ]


async def test_a_frozen_redis_costs_one_call_its_time_and_the_others_nothing(
    valkey: OwnValkey, name: str
) -> None:
    clock = ManualClock(SystemClock().now())
    async with open_client(valkey.url, call_timeout_s=0.05) as client:
        breaker = Breaker(name, clock=clock, store=RedisBreakerStore(client, name))
        with valkey.frozen():
            for _ in range(20):
                clock.advance(VIEW_S)
                assert await admits(breaker)
            assert not client.up
