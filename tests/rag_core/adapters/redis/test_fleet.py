"""Single-flight among processes: one work in the fleet, and no leader is waited for in vain."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from rag_core.adapters.redis import (
    CONCURRENT_CALLS,
    RESULT_S,
    RedisClient,
    RedisFleet,
    open_client,
    open_driver,
)
from rag_core.cache import flight_key
from rag_core.domain import Answer, UserId
from rag_core.embedded import OwnValkey, python_environment
from rag_core.errors import ProviderError, ProviderRejected, ProviderUnavailable, RagError
from rag_core.guard import TimeBudget
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.cache.parts import ANSWER, PATIENCE_S, Work, answer
from tests.rag_core.embedded.processes import eventually

T = TypeVar("T")

LONG_S = 600.0
"""A lease that does not end during a test."""


class CountingClient(RedisClient):
    """Counts the calls that were answered."""

    def __init__(self, url: str) -> None:
        driver = open_driver(url, max_connections=CONCURRENT_CALLS)
        super().__init__(driver, call_timeout_s=PATIENCE_S)
        self.calls = 0

    async def call(self, command: Callable[[], Awaitable[T]]) -> T:
        reply = await super().call(command)
        self.calls += 1
        return reply


@asynccontextmanager
async def counting(url: str) -> AsyncIterator[CountingClient]:
    client = CountingClient(url)
    try:
        await client.connect()
        yield client
    finally:
        await client.aclose()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[CountingClient]:
    async with counting(redis_url) as client:
        yield client


@pytest.fixture
async def other_client(redis_url: str) -> AsyncIterator[CountingClient]:
    async with counting(redis_url) as client:
        yield client


def fleet_of(client: RedisClient, *, lease_s: float = LONG_S) -> RedisFleet:
    return RedisFleet(client, lease_s=lease_s)


@pytest.fixture
def here(client: CountingClient) -> RedisFleet:
    return fleet_of(client)


@pytest.fixture
def there(other_client: CountingClient) -> RedisFleet:
    """What another process has."""
    return fleet_of(other_client)


@pytest.fixture
def key(user: UserId) -> str:
    return flight_key(user, "evidence")


@pytest.fixture
async def work() -> Work:
    return Work()


Asking = asyncio.Task[tuple[Answer, bool]]


def ask(fleet: RedisFleet, key: str, work: Work) -> Asking:
    return asyncio.create_task(fleet.run(key, work))


async def leading(fleet: RedisFleet, key: str, work: Work) -> Asking:
    """A call whose work has begun."""
    begun = work.begun
    task = ask(fleet, key, work)
    await eventually(lambda: work.begun > begun)
    return task


async def following(fleet: RedisFleet, client: CountingClient, key: str, work: Work) -> Asking:
    """A call that has seen that somebody else leads."""
    before = client.calls
    task = ask(fleet, key, work)
    await eventually(lambda: client.calls > before)
    assert not task.done()
    return task


async def freed(client: RedisClient, key: str) -> None:
    """As if the leader's lease had ended."""
    await client.execute("DEL", key)


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
    seen: list[int] = []

    async def renewed() -> bool:
        seen.append(await client.execute("PTTL", key))
        return len(seen) > 1 and seen[-1] > seen[-2]

    await eventually(renewed)
    work.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)


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


async def client_up(client: RedisClient) -> bool:
    await eventually(lambda: client.up)
    return True


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
