"""The forecast of spend, replayed over simulated weeks: what it said when, and what came."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product

import numpy as np
from numpy.typing import NDArray

from evals.simulation.spend_trace import STEPS, plausible_spend, simulated_spend
from evals.simulation.traffic import Floats
from rag_core.budget import HISTORY_DAYS, ForecastRules, History, Hours

MONDAY = date(2026, 6, 1)
EVALUATED_DAYS = 28
"""Chosen: four weeks, as long as the history before them."""
LEVELS = (0.8, 1.0, 1.25, 1.5)
"""Budgets of a day, in average days of the first four weeks."""
LEAD_STEPS = STEPS // 24
"""An hour."""
_PER_HOUR = STEPS // 24
_JUNE, _JULY = 30, 31
_FORECAST_ON = (2, 7, 12, 17, 22)


@dataclass(frozen=True, slots=True, eq=False)
class ReplayedDay:
    """One simulated day before one budget; money in nano-dollars."""

    level: float
    """The budget in average days of the first four weeks."""
    cap_nano: float
    demand: Floats
    """Spent by each quarter of an hour if nothing were refused; float64[97]."""
    probability: Floats
    """What the forecast said of ending over the budget; float64[96]."""
    inside: bool
    """Whether the day ended within the interval that was given at noon."""

    @property
    def crosses_at(self) -> int | None:
        """The first quarter of an hour by whose end the budget is spent; None: it never is."""
        over = np.flatnonzero(self.demand >= self.cap_nano)
        return int(over[0]) if len(over) else None


@dataclass(frozen=True, slots=True)
class Warnings:
    """How well days were warned of."""

    over: int
    """Number of days that spent their budget."""
    warned: int
    """Days over the budget with a warning an hour or more before they crossed it."""
    under: int
    """Number of days that did not."""
    false: int
    """Days under the budget with a warning."""
    lead_h: float
    """Median hours from the first warning, if there was one, to the crossing."""

    @property
    def caught(self) -> float:
        """Share of the days over the budget."""
        return self.warned / self.over if self.over else float("nan")

    @property
    def false_share(self) -> float:
        """Share of the days under the budget."""
        return self.false / self.under if self.under else float("nan")


def replayed(
    seeds: Sequence[int], rules: ForecastRules, levels: Sequence[float] = LEVELS
) -> Iterator[ReplayedDay]:
    """Four weeks of each seed, after four weeks of history, before each budget."""
    for seed in seeds:
        spend = simulated_spend(plausible_spend(seed, days=HISTORY_DAYS + EVALUATED_DAYS))
        average = spend[:HISTORY_DAYS].sum() / HISTORY_DAYS
        for level, day in product(levels, range(HISTORY_DAYS, len(spend))):
            yield _replayed(spend, day, level, average, rules)


def _replayed(
    spend: Floats, day: int, level: float, average: float, rules: ForecastRules
) -> ReplayedDay:
    cap = level * average
    past = [_hours(spend[each], cap) for each in range(day - HISTORY_DAYS, day)]
    history = History(past, MONDAY + timedelta(days=day), cap_nano=cap, rules=rules)
    demand = np.concatenate([[0.0], spend[day].cumsum()])
    steps = [history.day(step / _PER_HOUR, demand[step]) for step in range(STEPS)]
    noon = steps[STEPS // 2].forecast
    return ReplayedDay(
        level=level,
        cap_nano=cap,
        demand=demand,
        probability=np.array([each.probability_over(cap) for each in steps]),
        inside=bool(noon.low_nano <= demand[-1] <= noon.high_nano),
    )


def month_ends(seeds: Sequence[int]) -> list[bool]:
    """Whether July's spend was within the interval forecast at noon of five of its days."""
    inside = []
    for seed in seeds:
        spend = simulated_spend(plausible_spend(seed, days=_JUNE + _JULY))
        inside += [_month_inside(spend, day) for day in _FORECAST_ON]
    return inside


def _month_inside(spend: Floats, day: int) -> bool:
    """`day` of July, the first is 0."""
    today = _JUNE + day
    past = [_hours(spend[each], np.inf) for each in range(today - HISTORY_DAYS, today)]
    history = History(past, MONDAY + timedelta(days=today))
    noon = history.day(12.0, float(spend[today, : STEPS // 2].sum()))
    forecast = history.month(noon, float(spend[_JUNE:today].sum()))
    return bool(forecast.low_nano <= spend[_JUNE:].sum() <= forecast.high_nano)


def _hours(steps: Floats, cap: float) -> Hours:
    """A day as the log of calls has it: nothing is spent past the budget."""
    spent = np.minimum(np.concatenate([[0.0], steps.cumsum()]), cap)
    return tuple(np.diff(spent[::_PER_HOUR]).tolist())


def forecast_says(day: ReplayedDay, probability: float) -> NDArray[np.bool_]:
    """At which quarters of an hour the forecast warns; bool[96]."""
    return day.probability >= probability


def straight_line_says(day: ReplayedDay) -> NDArray[np.bool_]:
    """The reference: the spend so far, by the share of the day that is over; from 01:00 on.

    bool[96], a value for each quarter of an hour.
    """
    step = np.arange(STEPS)
    line = day.demand[:-1] * STEPS / np.maximum(step, 1)
    warned: NDArray[np.bool_] = (line >= day.cap_nano) & (step >= LEAD_STEPS)
    return warned


def judged(days: Sequence[ReplayedDay], says: Sequence[NDArray[np.bool_]]) -> Warnings:
    """Warnings count up to the moment of crossing; `says` is bool[96] for each day."""
    over = warned = false = 0
    leads: list[int] = []
    for day, warning in zip(days, says, strict=True):
        crosses = day.crosses_at
        if crosses is None:
            false += bool(warning.any())
            continue
        over += 1
        first = int(warning.argmax()) if warning.any() else crosses
        leads += [crosses - first] if first < crosses else []
        warned += crosses - first >= LEAD_STEPS
    lead_h = float(np.median(leads)) / _PER_HOUR if leads else 0.0
    return Warnings(over=over, warned=warned, under=len(days) - over, false=false, lead_h=lead_h)
