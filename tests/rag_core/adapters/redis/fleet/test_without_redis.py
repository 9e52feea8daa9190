"""Redis gone, frozen or slow: the work is done all the same."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.adapters.redis import (
    RedisClient,
    RedisFleet,
    open_client,
)
from rag_core.embedded import OwnValkey
from rag_core.guard import TimeBudget
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.adapters.redis.fleet.flights import (
    CountingClient,
    counting,
    fleet_of,
    following,
    leading,
)
from tests.rag_core.cache.parts import ANSWER, PATIENCE_S, Work
from tests.rag_core.embedded.processes import eventually


async def client_up(client: RedisClient) -> bool:
    await eventually(lambda: client.up)
    return True


@pytest.mark.parametrize("fault", [Fault.CUT, b"-ERR syntax error\r\n", b"WHAT\r\n"])
async def test_without_redis_the_work_is_done_here(
    fake: FakeServer, key: str, work: Work, fault: bytes | Fault
) -> None:
    work.outcome.set_result(ANSWER)
    async with open_client(fake.url) as client:
        fake.always(fault)
        assert await fleet_of(client).run(key, work) == (ANSWER, True)


async def test_when_redis_goes_while_following_the_work_is_done_here(
    valkey: OwnValkey, key: str
) -> None:
    """And the leader gives its own caller the answer all the same."""
    async with counting(valkey.url) as client, counting(valkey.url) as other_client:
        leads, follows = Work(), Work()
        leader = await leading(fleet_of(client), key, leads)
        follower = await following(fleet_of(other_client), other_client, key, follows)
        await valkey.kill()
        for work in (leads, follows):
            work.outcome.set_result(ANSWER)
        assert await leader == (ANSWER, True)
        assert await follower == (ANSWER, True)
        assert follows.begun == 1


async def test_when_redis_freezes_leader_and_follower_have_their_answers_all_the_same(
    valkey: OwnValkey, key: str
) -> None:
    async with open_client(valkey.url) as client, counting(valkey.url) as other_client:
        await eventually(lambda: client.up)
        leads, follows = Work(), Work()
        leader = await leading(fleet_of(client), key, leads)
        follower = await following(fleet_of(other_client), other_client, key, follows)
        with valkey.frozen():
            leads.outcome.set_result(ANSWER)
            assert await leader == (ANSWER, True)
        assert await client_up(client)
        follows.outcome.set_result(ANSWER)
        assert (await follower)[0] == ANSWER


async def test_a_leader_that_is_given_up_while_redis_is_frozen_goes_in_time(
    valkey: OwnValkey, key: str, work: Work
) -> None:
    async with open_client(valkey.url) as client:
        await eventually(lambda: client.up)
        leader = await leading(fleet_of(client), key, work)
        with valkey.frozen():
            leader.cancel()
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.wait([leader])
        assert leader.cancelled()
        assert work.cancelled == 1


async def test_a_request_that_has_no_time_left_for_redis_does_the_work_itself(
    here: RedisFleet, client: CountingClient, key: str, work: Work
) -> None:
    work.outcome.set_result(ANSWER)
    with TimeBudget(0.0).applied():
        assert await here.run(key, work) == (ANSWER, True)
    assert not await client.execute("EXISTS", key)


async def test_generating_takes_longer_than_a_request_has_for_redis_and_is_followed_to_its_end(
    here: RedisFleet, there: RedisFleet, other_client: CountingClient, key: str, work: Work
) -> None:
    """A poll has time of its own."""
    leader = await leading(here, key, work)
    budget = TimeBudget(PATIENCE_S)
    with budget.applied():
        follower = await following(there, other_client, key, Work())
        budget.left_s = 0.0
        polls = other_client.calls
        await eventually(lambda: other_client.calls > polls + 2)
    work.outcome.set_result(ANSWER)
    assert await follower == (ANSWER, False)
    assert await leader == (ANSWER, True)


async def test_a_leader_whose_time_for_redis_is_used_up_passes_its_answer_on_all_the_same(
    here: RedisFleet, there: RedisFleet, key: str, work: Work
) -> None:
    budget = TimeBudget(PATIENCE_S)
    with budget.applied():
        leader = await leading(here, key, work)
    budget.left_s = 0.0
    work.outcome.set_result(ANSWER)
    await leader
    assert await there.run(key, Work()) == (ANSWER, False)


async def test_a_leader_leaves_no_task_behind(here: RedisFleet, key: str, work: Work) -> None:
    tasks = asyncio.all_tasks()
    leader = await leading(here, key, work)
    work.outcome.set_result(ANSWER)
    await leader
    assert asyncio.all_tasks() <= tasks
