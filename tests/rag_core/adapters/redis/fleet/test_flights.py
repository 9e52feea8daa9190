"""Single-flight among processes: one work in the fleet, and what it ends with is everybody's."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.adapters.redis import (
    RESULT_S,
    RedisFleet,
)
from rag_core.errors import ProviderError, ProviderRejected, ProviderUnavailable, RagError
from tests.rag_core.adapters.redis.fleet.flights import (
    CountingClient,
    ask,
    fleet_of,
    following,
    leading,
)
from tests.rag_core.cache.parts import ANSWER, Work, answer
from tests.rag_core.embedded.processes import eventually


async def test_a_lone_caller_leads(here: RedisFleet, key: str, work: Work) -> None:
    work.outcome.set_result(ANSWER)
    assert await here.run(key, work) == (ANSWER, True)


async def test_identical_calls_in_the_fleet_are_one_work_and_all_get_its_answer(
    here: RedisFleet, there: RedisFleet, key: str
) -> None:
    works = [Work() for _ in range(10)]
    tasks = [ask((here, there)[i % 2], key, work) for i, work in enumerate(works)]
    await eventually(lambda: any(work.begun for work in works))
    for work in works:
        work.outcome.set_result(ANSWER)
    results = await asyncio.gather(*tasks)
    assert sum(work.begun for work in works) == 1
    assert [result for result, _ in results] == [ANSWER] * 10
    assert [led for _, led in results].count(True) == 1


async def test_different_keys_are_different_flights(
    here: RedisFleet, there: RedisFleet, key: str
) -> None:
    one, other = Work(), Work()
    tasks = [await leading(here, key, one), await leading(there, f"{key}-2", other)]
    other.outcome.set_result(answer("other"))
    one.outcome.set_result(answer("one"))
    results = await asyncio.gather(*tasks)
    assert [(result.text, led) for result, led in results] == [("one", True), ("other", True)]


async def test_an_answer_waits_for_its_followers_a_moment_only(
    here: RedisFleet, client: CountingClient, key: str, work: Work
) -> None:
    """What keeps answers is the answer cache, which asks whether they still stand."""
    work.outcome.set_result(ANSWER)
    await here.run(key, work)
    assert 0 < await client.execute("PTTL", key) <= RESULT_S * 1000


@pytest.mark.parametrize("error", [ProviderUnavailable("down"), ProviderRejected("wrong")])
async def test_the_followers_of_a_leader_that_failed_fail_with_it_and_do_not_try(
    here: RedisFleet,
    there: RedisFleet,
    other_client: CountingClient,
    key: str,
    work: Work,
    error: RagError,
) -> None:
    leader = await leading(here, key, work)
    unused = Work()
    followers = [await following(there, other_client, key, unused) for _ in range(3)]
    work.outcome.set_exception(error)
    with pytest.raises((ProviderUnavailable, ProviderError), match=str(error)) as raised:
        await leader
    assert raised.value is error
    for follower in followers:
        with pytest.raises(ProviderUnavailable, match=str(error)):
            await follower
    assert unused.begun == 0


async def test_who_comes_when_the_failure_is_over_tries_again(
    client: CountingClient, key: str, work: Work
) -> None:
    flights = fleet_of(client, lease_s=0.1)
    work.outcome.set_exception(ProviderUnavailable("down"))
    with pytest.raises(ProviderUnavailable):
        await flights.run(key, work)
    healed = Work()
    healed.outcome.set_result(ANSWER)

    async def answers() -> bool:
        try:
            return await flights.run(key, healed) == (ANSWER, True)
        except ProviderUnavailable:
            return False

    await eventually(answers)


async def test_a_leader_that_breaks_in_another_way_is_replaced_long_before_its_lease_ends(
    here: RedisFleet, there: RedisFleet, other_client: CountingClient, key: str, work: Work
) -> None:
    leader = await leading(here, key, work)
    takes_over = Work()
    follower = await following(there, other_client, key, takes_over)
    work.outcome.set_exception(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await leader
    takes_over.outcome.set_result(ANSWER)
    assert await follower == (ANSWER, True)


async def test_a_cancelled_leader_is_replaced_long_before_its_lease_ends(
    here: RedisFleet, there: RedisFleet, other_client: CountingClient, key: str, work: Work
) -> None:
    leader = await leading(here, key, work)
    takes_over = Work()
    follower = await following(there, other_client, key, takes_over)
    leader.cancel()
    await eventually(lambda: takes_over.begun == 1)
    takes_over.outcome.set_result(ANSWER)
    assert await follower == (ANSWER, True)
    assert leader.cancelled()
    assert work.cancelled == 1


async def test_a_follower_that_goes_away_disturbs_nobody(
    here: RedisFleet, there: RedisFleet, other_client: CountingClient, key: str, work: Work
) -> None:
    leader = await leading(here, key, work)
    follower = await following(there, other_client, key, Work())
    follower.cancel()
    await asyncio.wait([follower])
    work.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)
