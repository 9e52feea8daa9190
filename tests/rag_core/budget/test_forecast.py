"""What a forecast says of days and months to come."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.adapters.memory import MemorySpendSource
from rag_core.budget import NANO_PER_USD, History, Hours, HourSpend, SpendOutlook, days_of
from rag_core.domain import UserId

MONDAY = date(2026, 6, 1)
EVENINGS = tuple(0.0 if hour < 18 else 100e6 for hour in range(24))
"""Six busy hours, $0.60 together."""


def _history(days: list[Hours], **named: float) -> History:
    return History(days, MONDAY, **named)


def test_a_usual_day_is_forecast_as_usual_at_every_hour() -> None:
    history = _history([EVENINGS] * 28)
    for hour in range(0, 25, 3):
        spent = sum(EVENINGS[:hour])
        assert history.day(hour, spent).forecast.expected_nano == pytest.approx(600e6, rel=0.1)


def test_what_comes_in_the_evening_is_not_forgotten_in_the_morning() -> None:
    """By six nothing is spent, and a straight line would make nothing of it."""
    day = _history([EVENINGS] * 28).day(6, 0.0)
    assert day.probability_over(500e6) > 0.5
    assert day.probability_over(2_000e6) < 0.1


def test_a_dear_sunday_is_expected_on_sundays() -> None:
    quiet, dear = (10e6,) * 24, (50e6,) * 24
    weeks = [quiet] * 6 + [dear]
    before_sunday = History((weeks * 4)[:27], MONDAY + timedelta(days=27))
    before_monday = History(weeks * 4, MONDAY + timedelta(days=28))
    sunday, monday = (each.day(0, 0).forecast for each in (before_sunday, before_monday))
    assert sunday.expected_nano > 2 * monday.expected_nano


def test_a_day_cut_short_by_its_budget_counts_as_what_it_would_have_been() -> None:
    whole = (10e6,) * 24
    cut = (20e6,) * 12 + (0.0,) * 12
    days = [whole] * 14 + [cut] * 14
    known = _history(days, cap_nano=240e6).day(0, 0).forecast
    unknown = _history(days, cap_nano=1e9).day(0, 0).forecast
    assert known.expected_nano > 1.3 * unknown.expected_nano


def test_a_young_deployment_goes_by_its_pace_and_is_unsure() -> None:
    forecast = _history([]).day(12, 100e6).forecast
    assert forecast.expected_nano == pytest.approx(200e6, rel=0.05)
    assert forecast.high_nano - forecast.low_nano > 50e6


@given(
    st.lists(st.lists(st.floats(0, 1e10), min_size=24, max_size=24).map(tuple), max_size=28),
    st.floats(0, 24),
    st.floats(0, 1e11),
)
def test_a_forecast_is_never_below_what_is_spent_nor_its_ends_in_disorder(
    days: list[Hours], hour: float, spent: float
) -> None:
    history = _history(days)
    day = history.day(hour, spent)
    for each in (day.forecast, history.month(day, 5.0)):
        assert each.spent_nano <= each.low_nano <= each.expected_nano <= each.high_nano
    caps = [day.probability_over(cap) for cap in (0.0, 1e6, 1e9, 1e12)]
    assert caps == sorted(caps, reverse=True)
    assert all(0 <= cap <= 1 for cap in caps)


def test_a_month_of_growth_is_forecast_with_its_growth() -> None:
    """Each day two percent dearer than the one before; the month has 29 more days."""
    days: list[Hours] = [(1e6 * 1.02**n,) * 24 for n in range(28)]
    history = _history(days)
    month = history.month(history.day(0, 0), 0)
    true = sum(24e6 * 1.02 ** (28 + n) for n in range(30))
    assert month.low_nano < true < month.high_nano
    assert month.expected_nano == pytest.approx(true, rel=0.35)


def test_days_begin_with_the_first_that_had_spend() -> None:
    first = datetime(2026, 5, 30, 7, tzinfo=UTC)
    days = days_of([HourSpend(first, 5), HourSpend(first + timedelta(days=2), 9)], MONDAY)
    assert [sum(day) for day in days] == [5, 0]
    assert days[0][7] == 5


async def test_an_outlook_knows_the_day_and_the_month_so_far() -> None:
    source, now = MemorySpendSource(), datetime(2026, 6, 10, 12, tzinfo=UTC)
    for hours in range(40 * 24):
        source.record(UserId("ruth"), now - timedelta(hours=hours, minutes=1), NANO_PER_USD)
    outlook = await SpendOutlook(source).at(now)
    assert outlook
    assert outlook.day.spent_nano == 12 * NANO_PER_USD
    assert outlook.month.spent_nano == (9 * 24 + 12) * NANO_PER_USD
    assert outlook.month.expected_nano == pytest.approx(30 * 24 * NANO_PER_USD, rel=0.1)
    assert await SpendOutlook(source, user=UserId("boaz")).at(now) is None
