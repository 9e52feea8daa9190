"""Who is held to what, and what happens where nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag_core.clock import ManualClock
from rag_core.domain import UserId
from rag_core.errors import CacheUnavailable
from rag_core.events import BudgetUsed, Event, RateLimited, RateLimitsUnknown
from rag_core.throttle import (
    BudgetWatch,
    Count,
    MemoryRateStore,
    RateLimit,
    RateLimiter,
    RateStore,
    Standing,
    rate_limits,
)

RUTH, BOAZ, NAOMI = UserId("ruth"), UserId("boaz"), UserId("naomi")
USER = rate_limits("user", ["4/minute"])
EVERYONE = rate_limits("all", ["6/hour"])
PLANS = {"pro": rate_limits("user", ["60/minute"]), "naomi": rate_limits("user", ["1/day"])}


class Away:
    """A store that cannot be asked."""

    async def take(self, user: UserId, limits: Sequence[RateLimit]) -> Count:
        raise CacheUnavailable("no reply in time")

    async def look(self, user: UserId, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        raise CacheUnavailable("no reply in time")


def limiter(events: list[Event], store: RateStore | None = None) -> RateLimiter:
    return RateLimiter(
        store or MemoryRateStore(ManualClock()),
        user=USER,
        everyone=EVERYONE,
        plans=PLANS,
        listener=events.append,
    )


def test_a_users_own_limits_go_before_those_of_the_plan_and_those_before_everybodys() -> None:
    held = limiter([])
    assert held.limits(RUTH) == (*USER, *EVERYONE)
    assert held.limits(RUTH, "pro") == (*PLANS["pro"], *EVERYONE)
    assert held.limits(NAOMI, "pro") == (*PLANS["naomi"], *EVERYONE)
    assert held.limits(RUTH, "no such plan") == (*USER, *EVERYONE)


async def test_who_asks_too_often_is_refused_and_it_is_told() -> None:
    events: list[Event] = []
    held = limiter(events)
    counts = [await held.take(RUTH) for _ in range(5)]
    assert [count.counted for count in counts] == [True] * 4 + [False]
    assert events == [RateLimited("user")]


async def test_all_users_together_have_a_limit_too() -> None:
    events: list[Event] = []
    held = limiter(events)
    counted = [(await held.take(user)).counted for user in [RUTH] * 4 + [BOAZ] * 4]
    assert counted == [True] * 6 + [False] * 2
    assert events == [RateLimited("all")] * 2


async def test_without_limits_the_store_is_not_asked() -> None:
    events: list[Event] = []
    held = RateLimiter(Away(), listener=events.append)
    assert (await held.take(RUTH)).counted
    assert await held.standings(RUTH) == ()
    assert events == []


async def test_where_nobody_can_tell_everyone_is_let_in_and_it_is_told() -> None:
    events: list[Event] = []
    held = limiter(events, Away())
    assert [(await held.take(RUTH)).counted for _ in range(20)] == [True] * 20
    assert events == [RateLimitsUnknown()] * 20
    with pytest.raises(CacheUnavailable):
        await held.standings(RUTH)


async def test_users_have_half_while_ninety_percent_of_the_days_budget_is_used() -> None:
    """Everyone's limit stays: what is rationed is what each may take of it."""
    clock = ManualClock()
    watch = BudgetWatch(clock)
    held = RateLimiter(
        MemoryRateStore(clock), user=USER, everyone=EVERYONE, tight=watch.tight, listener=watch
    )

    def amounts() -> list[int]:
        return [limit.amount for limit in held.limits(RUTH)]

    assert amounts() == [4, 6]
    watch(BudgetUsed(0.89))
    assert amounts() == [4, 6]
    watch(BudgetUsed(0.9))
    assert amounts() == [2, 6]
    assert [(await held.take(RUTH)).counted for _ in range(3)] == [True, True, False]
    clock.advance(86_400)
    assert amounts() == [4, 6], "another day, another budget"
