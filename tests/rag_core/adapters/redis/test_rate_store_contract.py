"""Windows that slide: the store in memory and the one on Redis count the same."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag_core.adapters.redis import RedisClient, RedisRateStore
from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.throttle import MemoryRateStore, RateStore, rate_limits

MINUTE = rate_limits("user", ["3/minute"])


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest, clock: ManualClock) -> RateStore:
    """Every implementation of RateStore, on the clock of the test."""
    if request.param == "memory":
        return MemoryRateStore(clock)
    return RedisRateStore(request.getfixturevalue("client"), clock=clock)


async def test_as_many_are_counted_as_the_limit_says_and_no_more(
    store: RateStore, user: UserId
) -> None:
    counts = [await store.take(user, MINUTE) for _ in range(5)]
    assert [count.counted for count in counts] == [True, True, True, False, False]
    assert [count.standings[0].remaining for count in counts] == [2, 1, 0, 0, 0]


async def test_the_window_slides_with_each_request_and_does_not_begin_anew(
    store: RateStore, user: UserId, clock: ManualClock
) -> None:
    """At 0 s, 20 s and 40 s: there is room again after 60 s, 80 s and 100 s, one each."""
    for _ in range(3):
        assert (await store.take(user, MINUTE)).counted
        clock.advance(20)
    admitted = []
    for _ in range(6):
        clock.advance(10)  # 70 s, 80 s, …
        admitted.append((await store.take(user, MINUTE)).counted)
    assert admitted == [True, False, True, False, True, False]


async def test_what_came_a_moment_within_the_window_counts_and_a_moment_before_does_not(
    store: RateStore, user: UserId, clock: ManualClock
) -> None:
    for _ in range(3):
        await store.take(user, MINUTE)
    clock.advance(59.99)
    refused = await store.take(user, MINUTE)
    assert not refused.counted
    assert refused.standings[0].frees_s == pytest.approx(0.01, abs=0.002)
    clock.advance(0.02)
    assert (await store.take(user, MINUTE)).counted


async def test_a_burst_at_the_end_of_a_minute_leaves_no_room_at_the_start_of_the_next(
    store: RateStore, user: UserId, clock: ManualClock
) -> None:
    """A fixed window lets twice as many in within seconds, a weighted one nearly as many."""
    clock.advance(60 - clock.now() % 60 - 1)  # the last second of a minute of the clock
    for _ in range(3):
        assert (await store.take(user, MINUTE)).counted
    for second in range(59):
        clock.advance(1)
        assert not (await store.take(user, MINUTE)).counted, f"{second + 1} s later"


async def test_one_that_a_limit_refuses_is_counted_against_none(
    store: RateStore, user: UserId, clock: ManualClock
) -> None:
    limits = rate_limits("user", ["2/second", "5/minute"])
    for _ in range(2):
        await store.take(user, limits)
    for _ in range(20):
        assert not (await store.take(user, limits)).counted
    clock.advance(1.01)
    assert [each.used for each in await store.look(user, limits)] == [0, 2]


async def test_the_refusal_is_the_limit_that_stays_without_room_longest(
    store: RateStore, user: UserId, clock: ManualClock
) -> None:
    limits = rate_limits("user", ["2/second", "2/hour"])
    for _ in range(2):
        await store.take(user, limits)
    clock.advance(0.5)
    refusal = (await store.take(user, limits)).refusal
    assert refusal is not None
    assert (str(refusal.limit), refusal.frees_s) == ("2/hour", pytest.approx(3599.5, abs=0.002))


async def test_looking_counts_nothing(store: RateStore, user: UserId) -> None:
    assert [each.used for each in await store.look(user, MINUTE)] == [0]
    await store.take(user, MINUTE)
    looks = [await store.look(user, MINUTE) for _ in range(3)]
    assert [(each.used, each.frees_s) for (each,) in looks] == [
        (1, pytest.approx(60, abs=0.002)),
        *[(1, pytest.approx(60, abs=0.002))] * 2,
    ]


async def test_users_have_windows_of_their_own(
    store: RateStore, user: UserId, other_user: UserId
) -> None:
    for _ in range(4):
        await store.take(user, MINUTE)
    assert (await store.take(other_user, MINUTE)).counted


async def test_a_limit_that_is_lowered_counts_what_was_let_in_before(
    store: RateStore, user: UserId
) -> None:
    generous = rate_limits("user", ["6/minute"])
    for _ in range(3):
        await store.take(user, generous)
    assert not (await store.take(user, [each.halved for each in generous])).counted


@given(gaps=st.lists(st.integers(0, 40), min_size=1, max_size=40))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_window_wherever_it_begins_holds_more_than_the_limit(
    request: pytest.FixtureRequest, client: RedisClient, gaps: list[int]
) -> None:
    """And nobody is refused while it holds fewer: against the definition, on both stores."""
    user = UserId(f"p-{abs(hash((request.node.name, tuple(gaps))))}-{id(gaps)}")
    clock, let_in = ManualClock(), deque[float]()
    stores: list[RateStore] = [MemoryRateStore(clock), RedisRateStore(client, clock=clock)]
    for gap in gaps:
        clock.advance(gap + 0.5)
        room = sum(clock.now() - at <= 60 for at in let_in) < 3
        assert [(await store.take(user, MINUTE)).counted for store in stores] == [room, room]
        if room:
            let_in.append(clock.now())
