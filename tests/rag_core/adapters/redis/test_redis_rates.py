"""What only real servers show of rate limits: their clock, round trips, a cluster, a stall."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rag_core.adapters.redis import RedisClient, RedisRateStore, open_client
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.embedded import OwnValkey
from rag_core.events import Event, RateLimitsUnknown
from rag_core.guard import TimeBudget
from rag_core.throttle import RateLimiter, rate_limits
from tests.rag_core.cache.parts import PATIENCE_S
from tests.servers.valkey_cluster import valkey_cluster

OWN = rate_limits("user", ["2/minute", "100/hour", "500/day"])
EVERYONE = rate_limits("all", ["5/hour"])
RUTH, BOAZ = UserId("ruth"), UserId("boaz")


@pytest.fixture
async def own_client(valkey: OwnValkey) -> AsyncIterator[RedisClient]:
    async with open_client(valkey.url, call_timeout_s=PATIENCE_S) as client:
        yield client


async def _scripts_run(client: RedisClient) -> int:
    stats = await client.driver.info("commandstats")
    names = ("cmdstat_evalsha", "cmdstat_eval")
    return sum(int(stats.get(name, {}).get("calls", 0)) for name in names)


async def test_all_windows_of_a_request_take_one_round_trip(own_client: RedisClient) -> None:
    store = RedisRateStore(own_client)
    await store.take(RUTH, [*OWN, *EVERYONE])  # its text is sent with the first
    before = await _scripts_run(own_client)
    count = await store.take(RUTH, [*OWN, *EVERYONE])
    assert [each.used for each in count.standings] == [2, 2, 2, 2]
    assert await _scripts_run(own_client) - before == 1


async def test_times_are_the_servers_whatever_a_workers_clock_says(own_client: RedisClient) -> None:
    """A list of the library's own holds them; the key ends with its window."""
    before = time.time()
    count = await RedisRateStore(own_client).take(RUTH, OWN)
    at = float(await own_client.execute("LINDEX", "rag:{ruth}:rate:minute", 0))
    assert before - 0.001 <= at <= time.time()
    assert 59 < count.standings[0].frees_s <= 60
    assert 0 < await own_client.execute("PTTL", "rag:{ruth}:rate:minute") <= 60_000


async def test_who_is_refused_takes_no_room_from_the_others(own_client: RedisClient) -> None:
    store = RedisRateStore(own_client)
    for _ in range(50):
        await store.take(RUTH, [*OWN, *EVERYONE])
    (everyone,) = await store.look(BOAZ, EVERYONE)
    assert everyone.used == 2
    counts = [await store.take(UserId(f"u{n}"), [*OWN, *EVERYONE]) for n in range(4)]
    assert [count.counted for count in counts] == [True, True, True, False]
    assert counts[-1].refusal is not None
    assert counts[-1].refusal.limit == EVERYONE[0]


async def test_in_a_cluster_limits_hold_though_their_windows_are_on_several_nodes(
    tmp_path: Path,
) -> None:
    clock = ManualClock()
    async with valkey_cluster(tmp_path) as cluster:
        users = [UserId(cluster.key_on(node, prefix="user")) for node in cluster.primaries]
        async with open_client(cluster.url, call_timeout_s=PATIENCE_S) as client:
            store = RedisRateStore(client, clock=clock)
            counted = [
                (await store.take(user, [*OWN, *EVERYONE])).counted
                for user in users
                for _ in range(4)
            ]
            (everyone,) = await store.look(users[0], EVERYONE)
    assert counted == [*(True, True, False, False) * 2, True, False, False, False]
    assert everyone.used == 5, "nobody's refused request took room from the others"


async def test_a_frozen_server_lets_everyone_in_within_the_requests_time_for_redis(
    valkey: OwnValkey,
) -> None:
    events: list[Event] = []
    async with open_client(valkey.url) as client:
        limiter = RateLimiter(RedisRateStore(client), user=OWN, listener=events.append)
        budget = TimeBudget(0.05)
        with valkey.frozen(), budget.applied():
            counts = [await limiter.take(RUTH) for _ in range(100)]
    assert all(count.counted and not count.standings for count in counts)
    assert events == [RateLimitsUnknown()] * 100
    assert budget.left_s < 0.05, "its time is taken from the request's own"


async def test_a_script_that_the_server_forgot_is_sent_again(own_client: RedisClient) -> None:
    store = RedisRateStore(own_client)
    await store.take(RUTH, OWN)
    await own_client.execute("SCRIPT", "FLUSH")
    assert [each.used for each in (await store.take(RUTH, OWN)).standings] == [2, 2, 2]
