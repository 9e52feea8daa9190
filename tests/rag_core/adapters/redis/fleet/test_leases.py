"""No leader is waited for in vain: one that is gone is replaced when its lease ends."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rag_core.adapters.redis import (
    RedisFleet,
)
from rag_core.cache import flight_key
from rag_core.domain import UserId
from rag_core.embedded import OwnValkey, python_environment
from rag_core.errors import ProviderUnavailable
from tests.rag_core.adapters.redis.fleet.flights import (
    LONG_S,
    CountingClient,
    counting,
    fleet_of,
    following,
    freed,
    leading,
)
from tests.rag_core.cache.parts import ANSWER, PATIENCE_S, Work, answer
from tests.rag_core.embedded.processes import eventually
from tests.servers.valkey_cluster import valkey_cluster

LEASE_S = 3.0
"""Of a flight that is led for a moment: a third of it is a while on a busy machine."""


@asynccontextmanager
async def leader_process(url: str, key: str, lease_s: float) -> AsyncIterator[Process]:
    """Another process that leads, until it is killed."""
    script = Path(__file__).with_name("leader.py")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(script), url, key, str(lease_s)),
        stdout=PIPE,
        env=python_environment(),
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), PATIENCE_S)
        assert line == b"leading\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def leading_all(client: CountingClient, keys: Sequence[str]) -> AsyncIterator[None]:
    """One process leads a flight of each key, with leases of `LEASE_S`, until the block ends."""
    fleet, works = fleet_of(client, lease_s=LEASE_S), [Work() for _ in keys]
    leaders = [await leading(fleet, *each) for each in zip(keys, works, strict=True)]
    yield
    for work in works:
        work.outcome.set_result(ANSWER)
    await asyncio.gather(*leaders)


async def renewed(client: CountingClient, keys: Sequence[str]) -> None:
    """Return once the lease of each of these keys has been renewed."""

    async def lasting_ms() -> list[int]:
        return [await client.execute("PTTL", key) for key in keys]

    before_ms = await lasting_ms()

    async def longer() -> bool:
        return all(now > then for now, then in zip(await lasting_ms(), before_ms, strict=True))

    await eventually(longer)


async def test_a_leader_killed_while_it_works_is_replaced_when_its_lease_ends(
    redis_url: str, client: CountingClient, here: RedisFleet, key: str, work: Work
) -> None:
    async with leader_process(redis_url, key, lease_s=1.0) as process:
        follower = await following(here, client, key, work)
        assert work.begun == 0
        process.kill()
        await eventually(lambda: work.begun == 1)
        work.outcome.set_result(ANSWER)
        assert await follower == (ANSWER, True)


async def test_a_leader_that_lives_keeps_its_lease(
    client: CountingClient, key: str, work: Work
) -> None:
    leader = await leading(fleet_of(client, lease_s=1.0), key, work)
    await renewed(client, [key])
    work.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)


async def test_all_leases_of_a_process_are_renewed_by_one_call(valkey: OwnValkey, key: str) -> None:
    keys = [f"{key}:{number}" for number in range(20)]
    async with counting(valkey.url) as client, leading_all(client, keys):
        client.asked.clear()
        await renewed(client, keys)
        renewal = next(asked for asked in client.asked if asked[0] == "EVAL")
        assert set(keys) <= set(renewal)


async def test_in_a_cluster_leases_are_renewed_though_they_are_on_several_nodes(
    tmp_path: Path,
) -> None:
    async with valkey_cluster(tmp_path) as cluster, counting(cluster.url) as client:
        users = [UserId(cluster.key_on(node, prefix="user")) for node in cluster.primaries]
        keys = [flight_key(user, "evidence") for user in users]
        async with leading_all(client, keys):
            await renewed(client, keys)


async def test_a_leader_that_comes_too_late_keeps_its_answer_to_itself(
    here: RedisFleet, there: RedisFleet, client: CountingClient, key: str, work: Work
) -> None:
    """It slept past its lease, and another leads by now."""
    late = await leading(here, key, work)
    await freed(client, key)
    takes_over = Work()
    leader = await leading(there, key, takes_over)
    token = await client.execute("GET", key)
    work.outcome.set_result(answer("late"))
    assert (await late)[0].text == "late"
    assert await client.execute("GET", key) == token
    takes_over.outcome.set_result(ANSWER)
    await leader
    assert await here.run(key, Work()) == (ANSWER, False)


async def test_a_late_leaders_failure_and_cancellation_do_not_end_anothers_flight(
    here: RedisFleet, there: RedisFleet, client: CountingClient, key: str
) -> None:
    fails, goes, leads = Work(), Work(), Work()
    failing = await leading(here, key, fails)
    await freed(client, key)
    going = await leading(here, key, goes)
    await freed(client, key)
    leader = await leading(there, key, leads)
    token = await client.execute("GET", key)
    fails.outcome.set_exception(ProviderUnavailable("down"))
    going.cancel()
    await asyncio.wait([failing, going])
    assert isinstance(failing.exception(), ProviderUnavailable)
    assert await client.execute("GET", key) == token
    leads.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)


async def test_a_late_leader_does_not_renew_anothers_lease(
    client: CountingClient, there: RedisFleet, key: str, work: Work
) -> None:
    late = await leading(fleet_of(client, lease_s=0.2), key, work)
    await freed(client, key)
    leads = Work()
    leader = await leading(there, key, leads)

    before = client.calls
    await eventually(lambda: client.calls >= before + 3)
    assert await client.execute("PTTL", key) > LONG_S * 500
    for one in (work, leads):
        one.outcome.set_result(ANSWER)
    await asyncio.gather(late, leader)


async def test_what_cannot_be_read_is_outwaited_and_replaced(
    here: RedisFleet, client: CountingClient, key: str, work: Work
) -> None:
    """The answer of a leader of another version."""
    await client.execute("SET", key, b"D\xff\xff", "PX", 200)
    work.outcome.set_result(ANSWER)
    assert await asyncio.wait_for(here.run(key, work), PATIENCE_S) == (ANSWER, True)
