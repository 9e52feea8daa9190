"""Which alerts are due, and that each is told once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.budget import (
    NANO_PER_USD,
    AlertRules,
    RecentSpend,
    UserSpending,
    output_budget,
    tightened,
)
from rag_core.domain import UserId
from rag_core.errors import ConfigurationError
from tests.rag_core.budget.spending_scene import BOAZ, NOON, RUTH, SpendingScene

SETTLEMENTS = st.lists(
    st.tuples(
        st.sampled_from([RUTH, BOAZ, UserId("naomi")]),
        st.floats(0, 3),
        st.integers(0, 2),
        st.floats(0, 20_000),
    ),
    max_size=40,
)


@given(SETTLEMENTS)
def test_in_any_order_of_settlements_there_is_one_alert_a_kind_scope_and_day(
    settlements: list[tuple[UserId, float, int, float]],
) -> None:
    scene = SpendingScene(processes=3)

    async def play() -> None:
        for user, usd, process, later_s in settlements:
            await scene.settle(user, usd, process)
            scene.clock.advance(later_s)

    asyncio.run(play())
    told = [(a.kind, a.user, a.at.date()) for a in scene.told if a.kind != "spike"]
    assert max(Counter(told).values(), default=1) == 1
    for alert in scene.told:
        assert alert.kind == "forecast" or alert.spent_nano >= 0.8 * alert.cap_nano


@given(st.lists(st.floats(0.01, 2), min_size=1, max_size=30))
def test_whoever_reaches_a_share_is_told_of_at_once(spends: list[float]) -> None:
    scene = SpendingScene(processes=2)

    async def play() -> None:
        spent = 0
        for place, usd in enumerate(spends):
            await scene.settle(RUTH, usd, place % 2)
            spent += round(usd * NANO_PER_USD)
            assert ("nearly spent" in scene.kinds(RUTH)) == (spent >= 4 * NANO_PER_USD)
            assert ("exhausted" in scene.kinds(RUTH)) == (spent >= 5 * NANO_PER_USD)
            assert ("nearly spent" in scene.kinds()) == (spent >= 16 * NANO_PER_USD)

    asyncio.run(play())


async def test_the_shares_are_told_as_they_are_reached_and_again_the_next_day() -> None:
    scene = SpendingScene()
    for usd, expected in [(3.9, 0), (0.2, 1), (0.3, 1), (0.2, 2), (0.5, 3), (1, 3)]:
        await scene.settle(RUTH, usd)
        assert len(scene.kinds(RUTH)) == expected
    assert scene.kinds(RUTH) == ["nearly spent", "tightened", "exhausted"]
    scene.clock.advance(86_400)
    await scene.settle(RUTH, 4.1)
    assert scene.kinds(RUTH)[3:] == ["nearly spent"]


@pytest.mark.parametrize(
    ("usual_usd", "hour_usd", "alarms"),
    [(0.05, 0.49, 0), (0.05, 0.51, 1), (0.001, 0.2, 0), (0.001, 0.26, 1), (None, 3.0, 0)],
)
async def test_a_spike_is_ten_usual_hours_and_no_matter_of_cents(
    usual_usd: float | None, hour_usd: float, alarms: int
) -> None:
    scene = SpendingScene()
    if usual_usd:
        for days in range(1, 8):
            at = NOON - timedelta(days=days)
            scene.source.record(RUTH, at, round(usual_usd * NANO_PER_USD))
            scene.source.record(BOAZ, at, 9 * NANO_PER_USD)  # another's spend is nobody's usual
    for _ in range(10):
        await scene.settle(RUTH, hour_usd / 10)
    assert scene.kinds(RUTH).count("spike") == alarms


def test_a_spike_is_of_the_floor_at_least() -> None:
    each = UserSpending(user=RUTH, day_nano=20, hour_nano=20, usual_hour_nano=1)
    spending = RecentSpend(all_day_nano=20, users=(each,))
    for floor_nano, alarms in ((20, 1), (21, 0)):
        rules = AlertRules(user_cap_nano=100, all_cap_nano=100, spike_floor_nano=floor_nano)
        assert len(list(rules.due(spending, NOON))) == alarms


async def test_a_spike_is_told_once_an_hour() -> None:
    scene = SpendingScene()
    for days in range(1, 8):
        scene.source.record(RUTH, NOON - timedelta(days=days), NANO_PER_USD // 1_000)
    for _ in range(3):
        await scene.settle(RUTH, 0.3)
        await scene.settle(RUTH, 0.3)
        scene.clock.advance(3_600)
    assert scene.kinds(RUTH).count("spike") == 3


async def test_a_day_that_will_end_over_the_budget_is_told_of_once_and_before() -> None:
    """Four weeks of $10 a day, then a day three times as dear: the budget is $20."""
    scene = SpendingScene()
    midnight = NOON.replace(hour=0)
    for hours in range(28 * 24):
        at = midnight - timedelta(hours=hours + 1)
        scene.source.record(RUTH, at, NANO_PER_USD * 10 // 24)
    scene.clock.advance(-12 * 3_600 + 86_400)
    for _ in range(16):
        scene.clock.advance(3_600)
        await scene.settle(BOAZ, 30 / 24)
    (warning,) = [alert for alert in scene.told if alert.kind == "forecast"]
    exhausted = [alert for alert in scene.told if alert.kind == "exhausted" and not alert.user]
    assert warning.user is None
    assert exhausted[0].at - warning.at >= timedelta(hours=1)


async def test_no_warning_on_a_day_like_the_others() -> None:
    scene = SpendingScene()
    for hours in range(1, 28 * 24):
        at = NOON.replace(hour=0) - timedelta(hours=hours)
        scene.source.record(RUTH, at, NANO_PER_USD * 10 // 24)
    scene.clock.advance(12 * 3_600)
    await scene.settle(BOAZ, 5)
    assert scene.kinds() == []


@pytest.mark.parametrize(("share", "tokens"), [(0.0, 400), (0.89, 400), (0.9, 200), (1.2, 200)])
def test_the_output_is_halved_from_nine_tenths_of_the_budget(share: float, tokens: int) -> None:
    assert output_budget(400, share) == tokens
    assert tightened(share) is (tokens == 200)


def test_rules_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="all_cap_nano"):
        AlertRules(user_cap_nano=1, all_cap_nano=-1)
