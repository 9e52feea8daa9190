"""Plausible weeks of spend, simulated: what each quarter of an hour cost.

The arrivals are those of `traffic.generate`, thinned to a profile of the week, growth and good and
bad days; each call that misses the caches costs a draw, and now and then a script runs amok. All
ranges are supposed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.simulation.traffic import DAY_S, Assumptions, Floats, generate

STEPS = 96
"""Quarters of an hour in a day."""
_USERS = (10, 300)
_MEDIAN_CALL_NANO = 400_000.0
_CALL_SD = 0.6
"""Of the logarithm of what a call costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendAssumptions:
    """What we suppose about weeks of spend, beside the arrivals."""

    arrivals: Assumptions
    weekdays: tuple[float, ...]
    """What each day of the week, Monday first, is of a common day."""
    growth_per_week: float
    """As a share; below 0 it shrinks."""
    day_sd: float
    """Of the logarithm of how good a day is."""
    miss_rate: float
    """Share of the requests that are paid for."""
    runaways_per_day: float = 0.05
    """Hours in which a script asks without end."""
    runaway_days: float = 0.3
    """What such an hour costs at most, in average days."""


def plausible_spend(seed: int, *, days: int) -> SpendAssumptions:
    """One draw from the ranges that we suppose."""
    rng = np.random.default_rng([seed, 1])
    users = round(float(np.exp(rng.uniform(*np.log(_USERS)))))
    saturday, sunday = rng.uniform(0.5, 1.2), rng.uniform(0.8, 2.5)
    arrivals = Assumptions(
        users=users,
        days=float(days),
        requests_per_user_day=rng.uniform(5, 20),
        daily_amplitude=rng.uniform(0.3, 0.9),
        peak_hour=rng.uniform(9, 21),
        bursts_per_day=rng.uniform(0, 2),
        burst_size=int(users * rng.uniform(0.1, 0.5)),
        seed=seed,
    )
    return SpendAssumptions(
        arrivals=arrivals,
        weekdays=(*rng.uniform(0.8, 1.2, 5), saturday, sunday),
        growth_per_week=rng.uniform(-0.02, 0.08),
        day_sd=rng.uniform(0.05, 0.3),
        miss_rate=rng.uniform(0.3, 0.9),
    )


def simulated_spend(assumptions: SpendAssumptions) -> Floats:
    """Nano-dollars of each quarter of an hour, float64[days, 96]; day 0 is a Monday."""
    a = assumptions
    rng = np.random.default_rng([a.arrivals.seed, 2])
    days = int(a.arrivals.days)
    weights = _day_weights(a, days, rng)
    time_s = generate(a.arrivals).time_s
    day = np.minimum((time_s // DAY_S).astype(np.int64), days - 1)
    paid = rng.random(len(time_s)) < a.miss_rate * weights[day] / weights.max()
    nano = _MEDIAN_CALL_NANO * np.exp(rng.normal(0, _CALL_SD, paid.sum()))
    step = (time_s[paid] % DAY_S // (DAY_S / STEPS)).astype(np.int64)
    spend = np.zeros((days, STEPS))
    np.add.at(spend, (day[paid], step), nano)
    return _with_runaways(a, spend, rng)


def _day_weights(a: SpendAssumptions, days: int, rng: np.random.Generator) -> Floats:
    number = np.arange(days)
    week = np.asarray(a.weekdays)[number % 7]
    luck = np.exp(rng.normal(0, a.day_sd, days))
    weights: Floats = week * (1 + a.growth_per_week) ** (number / 7) * luck
    return weights


def _with_runaways(a: SpendAssumptions, spend: Floats, rng: np.random.Generator) -> Floats:
    average = spend.sum() / len(spend)
    for day in np.flatnonzero(rng.random(len(spend)) < a.runaways_per_day):
        first = rng.integers(STEPS - 3)
        spend[day, first : first + 4] += rng.uniform(0.05, a.runaway_days) * average / 4
    return spend
