"""What a day and a month will have cost when they end, with an interval; all days are UTC's.

A day has a profile: `F(h)`, the share of its spend that has happened by hour `h`, as the days
before had it. When `S` is spent by `h`, two guesses of the whole day stand beside each other: its
own pace `S / F` and the prior, which is the level of the days before, weighted to the recent ones,
times what this day of the week usually is of an average day. They are mixed by credibility
(Bühlmann, ASTIN Bulletin 4, 1967): the pace weighs `F / (F + k)`, the prior `k / (F + k)`, and what
is to come is `(1 - F) * (S + k * prior) / (F + k)`. How far off that may be is read from the days
before: for each of them the same forecast is made at the same hour, and the logarithm of (what came
after / what was forecast to come) is taken as normally distributed. A warning is given when the
probability of ending over the budget reaches `warn_at`. Where that probability is right, at most
`p (1 - warn_at) / warn_at / (1 - p)` of the days that stay under are warned of falsely, `p` being
the share of days that go over (by Ville's inequality for martingales).

A day that its budget cut short counts as what its profile says it would have cost.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import accumulate
from statistics import NormalDist, fmean

from rag_core.budget.recent_spend import HourSpend
from rag_core.budget.trend import fitted_trend

HISTORY_DAYS = 28
"""Chosen: four of each day of the week."""
HOURS = 24
DAY_S = 86_400.0

Hours = tuple[float, ...]
"""24 hours' spend, in nano-dollars."""

_NORMAL = NormalDist()
_LIKELY = _NORMAL.inv_cdf(0.9)


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastRules:
    """How a forecast weighs what it knows; chosen by `python -m evals bench forecast`."""

    credibility: float = 0.4
    """`k`: the share of a day after which its own pace weighs as much as the days before."""
    half_life_days: float = 7.0
    """Age at which a day weighs half in the level."""
    warn_at: float = 0.85
    """Probability of ending over the budget from which there is a warning."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a period will have cost at its end, in nano-dollars; meant to hold in four of five."""

    spent_nano: float
    """What is spent already."""
    expected_nano: float
    """As likely to be passed as not."""
    low_nano: float
    high_nano: float


DEPLOYED = ForecastRules()


class History:
    """The days before today, and what they say about days to come.

    Args:
        days: each day's hours, oldest first, the last is yesterday; none is a young deployment.
        today: the day that is forecast.
        cap_nano: the day's budget; days that reached it were cut short by it.
    """

    def __init__(
        self,
        days: Sequence[Hours],
        today: date,
        *,
        cap_nano: float = math.inf,
        rules: ForecastRules = DEPLOYED,
    ) -> None:
        self._today, self._rules = today, rules
        self._profile = profile([day for day in days if sum(day) < _CUT_FROM * cap_nano] or days)
        self._days = [_completed(day, self._profile, cap_nano) for day in days]
        self._totals = [day[-1] for day in self._days]
        self._factors = self._weekday_factors()

    @property
    def known(self) -> bool:
        """Whether any day before is known."""
        return bool(self._days)

    def day(self, hour: float, spent_nano: float) -> DayForecast:
        """Today's end, when `spent_nano` are spent by `hour` (0 to 24, with minutes)."""
        share = _at(self._profile, hour)
        rest = self._rest(share, spent_nano, self._priors[-1])
        errors = [
            math.log((day[-1] - _at(day, hour) + self._least) / (guess + self._least))
            for day, prior in zip(self._days, self._priors, strict=False)
            if prior is not None
            for guess in (self._rest(share, _at(day, hour), prior),)
        ]
        mean, sd = _fitted(errors)
        return DayForecast(spent_nano, math.log(rest + self._least) + mean, sd, self._least)

    def month(self, today: DayForecast, before_nano: float) -> Forecast:
        """The end of today's month, when `before_nano` were spent in it before today.

        Days to come are those before, continued by their trend; see `trend`.
        """
        totals = [total + self._least for total in self._totals]
        trend = fitted_trend(totals, self._factors, self._today)
        days = trend.sum(self._today, _rest_of_month(self._today), self._factors)
        spread = _LIKELY * math.hypot(today.spread_nano, days.error)
        spent = before_nano + today.spent_nano
        expected = before_nano + today.forecast.expected_nano + days.expected
        return Forecast(spent, expected, max(spent, expected - spread), expected + spread)

    def _rest(self, share: float, spent_nano: float, prior: float | None) -> float:
        """What is still to come of a day of whose spend `share` has happened."""
        if prior is None:
            return (1 - share) * spent_nano / max(share, 1 / HOURS)
        k = self._rules.credibility
        return (1 - share) * (spent_nano + k * prior) / (share + k)

    @cached_property
    def _priors(self) -> list[float | None]:
        """What was to be expected of each day, and last of today, at its midnight."""
        priors: list[float | None] = [None]
        keep = 0.5 ** (1 / self._rules.half_life_days)
        weighted = weights = 0.0
        for place, total in enumerate(self._totals):
            weighted = keep * weighted + total / self._factor(self._date(place))
            weights = keep * weights + 1
            priors.append(weighted / weights * self._factor(self._date(place + 1)))
        return priors

    @cached_property
    def _least(self) -> float:
        """Half a percent of a day: what is added so that an hour without spend has a logarithm."""
        return max(1.0, 0.005 * fmean(self._totals)) if self._totals else 1.0

    def _weekday_factors(self) -> list[float]:
        """What each day of the week, Monday first, is of an average day."""
        average = fmean(self._totals) if self._totals else 0.0
        ratios: list[list[float]] = [[] for _ in range(7)]
        for place, total in enumerate(self._totals if average else ()):
            ratios[self._date(place).weekday()].append(total / average)
        return [(sum(each) + _DOUBT) / (len(each) + _DOUBT) for each in ratios]

    def _factor(self, day: date) -> float:
        return self._factors[day.weekday()]

    def _date(self, place: int) -> date:
        return self._today - timedelta(days=len(self._days) - place)


@dataclass(frozen=True, slots=True)
class DayForecast:
    """What comes after `spent_nano`: it and `least_nano` together are log-normal."""

    spent_nano: float
    log_mean: float
    """Of the logarithm of a number of nano-dollars."""
    log_sd: float
    """Of the same number."""
    least_nano: float

    @property
    def forecast(self) -> Forecast:
        """The day's end."""
        low, middle, high = (self._end(sds) for sds in (-_LIKELY, 0.0, _LIKELY))
        return Forecast(self.spent_nano, middle, low, high)

    @property
    def spread_nano(self) -> float:
        """Half of the width of one standard deviation to each side."""
        return (self._end(1.0) - self._end(-1.0)) / 2

    def probability_over(self, cap_nano: float) -> float:
        """Of ending the day at `cap_nano` or over it."""
        if cap_nano <= self.spent_nano:
            return 1.0
        sds = (math.log(cap_nano - self.spent_nano + self.least_nano) - self.log_mean) / self.log_sd
        return 1 - _NORMAL.cdf(sds)

    def _end(self, sds: float) -> float:
        rest = math.exp(self.log_mean + sds * self.log_sd) - self.least_nano
        return self.spent_nano + max(0.0, rest)


def days_of(rows: Sequence[HourSpend], today: date) -> list[Hours]:
    """The hours of each day of UTC from the first with spend to yesterday."""
    spent = {row.hour.astimezone(UTC): float(row.nano_usd) for row in rows}
    first = min((hour.date() for hour in spent), default=today)
    return [
        tuple(spent.get(_hour(first + timedelta(days=n), hour), 0.0) for hour in range(HOURS))
        for n in range((today - first).days)
    ]


def profile(days: Sequence[Hours]) -> Hours:
    """The share of a day's spend that has happened by each full hour, 0 to 24: 25 values."""
    total = sum(map(sum, days))
    trust = len(days) / (len(days) + _DOUBT) if total else 0.0
    shares = [
        trust * (sum(day[hour] for day in days) / total if total else 0.0) + (1 - trust) / HOURS
        for hour in range(HOURS)
    ]
    return tuple(accumulate(shares, initial=0.0))


_CUT_FROM = 0.98
"""Share of its budget from which a day counts as cut short: the next call's hold did not fit."""
_DOUBT = 2.0
"""Days of no opinion (a flat profile, an average weekday, `_UNKNOWN_SD`) beside those known."""
_UNKNOWN_SD = 0.5


def _completed(day: Hours, shares: Hours, cap_nano: float) -> Hours:
    """The day's spend by each full hour, 25 values; as if its budget had not cut it short."""
    spent = tuple(accumulate(day, initial=0.0))
    if spent[-1] < _CUT_FROM * cap_nano:
        return spent
    last = 1 + max(hour for hour in range(HOURS) if day[hour])
    total = spent[last] / shares[last]
    return tuple(spent[h] if h <= last else total * shares[h] for h in range(HOURS + 1))


def _at(cumulative: Hours, hour: float) -> float:
    """The value at a moment between two full hours."""
    before = min(int(hour), HOURS - 1)
    return cumulative[before] + (hour - before) * (cumulative[before + 1] - cumulative[before])


def _fitted(errors: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation to expect of the next error."""
    count = len(errors) + _DOUBT
    mean = sum(errors) / count
    squares = sum((error - mean) ** 2 for error in errors) + _DOUBT * _UNKNOWN_SD**2
    return mean, math.sqrt(squares / count * (1 + 1 / count))


def _hour(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def _rest_of_month(today: date) -> list[date]:
    days = (today + timedelta(days=n) for n in range(1, 31))
    return [day for day in days if day.month == today.month]
