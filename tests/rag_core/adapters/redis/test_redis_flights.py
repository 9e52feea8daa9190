"""Single-flight among processes: one work in the fleet, and no leader is waited for in vain."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rag_core.adapters.redis.flights import RESULT_S, RedisFlights
from rag_core.adapters.redis.link import RedisLink, open_link
from rag_core.guard.allowance import Allowance, note_failure

from rag_core.answer import Answer
from rag_core.cache.keys import flight_key
from rag_core.clock import ManualClock, SystemClock
from rag_core.embedded.child import python_environment
from rag_core.errors import ProviderError, ProviderRejected, ProviderUnavailable, RagError
from rag_core.user import UserId
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault
from tests.rag_core.adapters.redis.own_valkey import OwnValkey
from tests.rag_core.cache.parts import ANSWER, PATIENCE_S, Work, answer
from tests.rag_core.embedded.processes import eventually

LONG_S = 600.0
"""A lease that does not end during a test."""


def fleet_of(link: RedisLink, *, lease_s: float = LONG_S) -> RedisFlights:
    return RedisFlights(link, clock=SystemClock(), lease_s=lease_s)


@pytest.fixture
def here(link: RedisLink) -> RedisFlights:
    return fleet_of(link)


@pytest.fixture
def there(other_link: RedisLink) -> RedisFlights:
    """What another process has."""
    return fleet_of(other_link)


@pytest.fixture
def key(user: UserId) -> str:
    return flight_key(user, "evidence")


@pytest.fixture
async def work() -> Work:
    return Work()


Asking = asyncio.Task[tuple[Answer, bool]]


def ask(flights: RedisFlights, key: str, work: Work) -> Asking:
    return asyncio.create_task(flights.run(key, work))


async def leading(flights: RedisFlights, key: str, work: Work) -> Asking:
    """A call whose work has begun."""
    begun = work.begun
    task = ask(flights, key, work)
    await eventually(lambda: work.begun > begun)
    return task


async def following(flights: RedisFlights, link: RedisLink, key: str, work: Work) -> Asking:
    """A call that has seen that somebody else leads."""
    before = await polls(link)
    task = ask(flights, key, work)

    async def has_polled() -> bool:
        return await polls(link) > before + 1

    await eventually(has_polled)
    return task


async def polls(link: RedisLink) -> int:
    """How often anybody has tried to board a flight on this server."""
    stats = await link.client.info("commandstats")
    return int(stats.get("cmdstat_set", {"calls": 0})["calls"])


async def test_a_lone_caller_leads(here: RedisFlights, key: str, work: Work) -> None:
    work.outcome.set_result(ANSWER)
    assert await here.run(key, work) == (ANSWER, True)


async def test_identical_calls_in_the_fleet_are_one_work_and_all_get_its_answer(
    here: RedisFlights, there: RedisFlights, key: str
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
    here: RedisFlights, there: RedisFlights, key: str
) -> None:
    one, other = Work(), Work()
    tasks = [await leading(here, key, one), await leading(there, f"{key}-2", other)]
    other.outcome.set_result(answer("other"))
    one.outcome.set_result(answer("one"))
    results = await asyncio.gather(*tasks)
    assert [(result.text, led) for result, led in results] == [("one", True), ("other", True)]


async def test_an_answer_waits_for_its_followers_a_moment_only(
    here: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    """What keeps answers is the answer cache, which asks whether they still stand."""
    work.outcome.set_result(ANSWER)
    await here.run(key, work)
    assert 0 < await link.client.pttl(key) <= RESULT_S * 1000


@pytest.mark.parametrize("error", [ProviderUnavailable("down"), ProviderRejected("wrong")])
async def test_the_followers_of_a_leader_that_failed_fail_with_it_and_do_not_try(
    here: RedisFlights,
    there: RedisFlights,
    link: RedisLink,
    key: str,
    work: Work,
    error: RagError,
) -> None:
    leader = await leading(here, key, work)
    unused = Work()
    followers = [await following(there, link, key, unused) for _ in range(3)]
    work.outcome.set_exception(error)
    with pytest.raises((ProviderUnavailable, ProviderError), match=str(error)) as raised:
        await leader
    assert raised.value is error
    for follower in followers:
        with pytest.raises(ProviderUnavailable, match=str(error)):
            await follower
    assert unused.begun == 0


async def test_who_comes_when_the_failure_is_over_tries_again(
    link: RedisLink, key: str, work: Work
) -> None:
    flights = fleet_of(link, lease_s=0.1)
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


async def test_a_leader_that_breaks_in_another_way_is_replaced(
    link: RedisLink, other_link: RedisLink, key: str, work: Work
) -> None:
    leader = await leading(fleet_of(link, lease_s=0.2), key, work)
    takes_over = Work()
    follower = await following(fleet_of(other_link, lease_s=0.2), link, key, takes_over)
    work.outcome.set_exception(RuntimeError("a bug"))
    with pytest.raises(RuntimeError, match="a bug"):
        await leader
    takes_over.outcome.set_result(ANSWER)
    assert await follower == (ANSWER, True)


async def test_a_cancelled_leader_is_replaced_long_before_its_lease_ends(
    here: RedisFlights, there: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    leader = await leading(here, key, work)
    takes_over = Work()
    follower = await following(there, link, key, takes_over)
    leader.cancel()
    await eventually(lambda: takes_over.begun == 1)
    takes_over.outcome.set_result(ANSWER)
    assert await follower == (ANSWER, True)
    assert leader.cancelled()
    assert work.cancelled == 1


async def test_a_follower_that_goes_away_disturbs_nobody(
    here: RedisFlights, there: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    leader = await leading(here, key, work)
    follower = await following(there, link, key, Work())
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
    redis_url: str, link: RedisLink, here: RedisFlights, key: str, work: Work
) -> None:
    async with leader_process(redis_url, key, lease_s=1.0) as process:
        follower = await following(here, link, key, work)
        assert work.begun == 0
        process.kill()
        await eventually(lambda: work.begun == 1)
        work.outcome.set_result(ANSWER)
        assert await follower == (ANSWER, True)


async def test_a_leader_that_lives_keeps_its_lease(link: RedisLink, key: str, work: Work) -> None:
    leader = await leading(fleet_of(link, lease_s=1.0), key, work)
    seen: list[int] = []

    async def renewed() -> bool:
        seen.append(await link.client.pttl(key))
        return len(seen) > 1 and seen[-1] > seen[-2]

    await eventually(renewed)
    work.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)


async def test_a_leader_that_comes_too_late_keeps_its_answer_to_itself(
    here: RedisFlights, there: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    """It slept past its lease, and another leads by now."""
    late = await leading(here, key, work)
    await link.client.delete(key)
    takes_over = Work()
    leader = await leading(there, key, takes_over)
    token = await link.client.get(key)
    work.outcome.set_result(answer("late"))
    assert (await late)[0].text == "late"
    assert await link.client.get(key) == token
    takes_over.outcome.set_result(ANSWER)
    await leader
    assert await here.run(key, Work()) == (ANSWER, False)


async def test_a_late_leaders_failure_and_cancellation_do_not_end_anothers_flight(
    here: RedisFlights, there: RedisFlights, link: RedisLink, key: str
) -> None:
    fails, goes, leads = Work(), Work(), Work()
    failing = await leading(here, key, fails)
    await link.client.delete(key)
    going = await leading(here, key, goes)
    await link.client.delete(key)
    leader = await leading(there, key, leads)
    token = await link.client.get(key)
    fails.outcome.set_exception(ProviderUnavailable("down"))
    going.cancel()
    await asyncio.wait([failing, going])
    assert isinstance(failing.exception(), ProviderUnavailable)
    assert await link.client.get(key) == token
    leads.outcome.set_result(ANSWER)
    assert await leader == (ANSWER, True)


async def test_a_late_leader_does_not_renew_anothers_lease(
    link: RedisLink, there: RedisFlights, key: str, work: Work
) -> None:
    late = await leading(fleet_of(link, lease_s=0.2), key, work)
    await link.client.delete(key)
    leads = Work()
    leader = await leading(there, key, leads)

    async def renewals() -> int:
        stats = await link.client.info("commandstats")
        return int(stats.get("cmdstat_evalsha", {"calls": 0})["calls"])

    before = await renewals()

    async def tried() -> bool:
        return await renewals() >= before + 3

    await eventually(tried)
    assert await link.client.pttl(key) > LONG_S * 500
    for one in (work, leads):
        one.outcome.set_result(ANSWER)
    await asyncio.gather(late, leader)


async def test_what_cannot_be_read_is_outwaited_and_replaced(
    here: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    """The answer of a leader of another version."""
    await link.client.set(key, b"D\xff\xff", px=200)
    work.outcome.set_result(ANSWER)
    assert await asyncio.wait_for(here.run(key, work), PATIENCE_S) == (ANSWER, True)


@pytest.mark.parametrize("fault", [Fault.CUT, b"-ERR syntax error\r\n", b"WHAT\r\n"])
async def test_without_redis_the_work_is_done_here(
    fake: FakeServer, clock: ManualClock, key: str, work: Work, fault: bytes | Fault
) -> None:
    fake.always(fault)
    work.outcome.set_result(ANSWER)
    async with open_link(fake.url, clock=clock) as link:
        assert await fleet_of(link).run(key, work) == (ANSWER, True)


async def test_when_redis_goes_while_following_the_work_is_done_here(
    valkey: OwnValkey, clock: ManualClock, key: str
) -> None:
    """And the leader gives its own caller the answer all the same."""
    async with (
        open_link(valkey.url, clock=clock, call_timeout_s=PATIENCE_S) as link,
        open_link(valkey.url, clock=clock, call_timeout_s=PATIENCE_S) as other_link,
    ):
        leads, follows = Work(), Work()
        leader = await leading(fleet_of(link), key, leads)
        follower = await following(fleet_of(other_link), link, key, follows)
        await valkey.kill()
        for work in (leads, follows):
            work.outcome.set_result(ANSWER)
        assert await leader == (ANSWER, True)
        assert await follower == (ANSWER, True)
        assert follows.begun == 1


async def test_a_request_that_redis_has_failed_already_does_not_try_its_luck_here(
    here: RedisFlights, link: RedisLink, key: str, work: Work
) -> None:
    work.outcome.set_result(ANSWER)
    with Allowance(1.0).applied():
        note_failure()
        assert await here.run(key, work) == (ANSWER, True)
    assert not await link.client.exists(key)
