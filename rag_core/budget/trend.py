"""Days to come by a straight line through the logarithms of days gone by.

Ordinary least squares (Draper and Smith, Applied Regression Analysis, 1998, ch. 1): each day has an
error of its own, all share those of the line's slope and of what each day of the week is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import fmean, linear_regression

DAYS_FOR_A_SLOPE = 14
"""Fewer days than that are taken to be level."""
_DOUBT = 2.0
_UNKNOWN_SD = 0.5
"""Of a day's logarithm, as if seen on `_DOUBT` days."""


@dataclass(frozen=True, slots=True)
class Trend:
    """The spend of days as the exponential of `level + slope * days from today`, times a factor."""

    level: float
    slope: float
    slope_sd: float
    sd: float
    """Of the logarithm of one day."""
    middle: float
    """Days from today at which the line is surest."""

    def sum(self, today: date, days: Sequence[date], factors: Sequence[float]) -> Sum:
        """Of `days` after `today`; `factors`: what each day of the week, Monday first, usually is.

        The mean of a log-normal day is `exp(sd ** 2 / 2)` times its median.
        """
        ahead = [(day - today).days for day in days]
        expected = [
            factors[day.weekday()] * math.exp(self.level + self.slope * x + self.sd**2 / 2)
            for day, x in zip(days, ahead, strict=True)
        ]
        weekdays = [0.0] * 7
        for day, each in zip(days, expected, strict=True):
            weekdays[day.weekday()] += each
        turned = sum(e * (x - self.middle) for e, x in zip(expected, ahead, strict=True))
        seen = max(1.0, -2 * self.middle / 7) + 1
        error = math.hypot(
            *(self.sd * each for each in expected),
            *(self.sd * each / math.sqrt(seen) for each in weekdays),
            self.slope_sd * turned,
        )
        return Sum(sum(expected), error)


@dataclass(frozen=True, slots=True)
class Sum:
    """An expected sum and its standard error."""

    expected: float
    error: float


def fitted_trend(totals: Sequence[float], factors: Sequence[float], today: date) -> Trend:
    """The trend of the days before `today`, oldest first; all above 0."""
    count = len(totals)
    ahead = [float(place - count) for place in range(count)]
    logs = [
        math.log(total / factors[(today + timedelta(days=int(x))).weekday()])
        for total, x in zip(totals, ahead, strict=True)
    ]
    middle, mean = (fmean(ahead), fmean(logs)) if count else (0.0, 0.0)
    slope = linear_regression(ahead, logs).slope if count >= DAYS_FOR_A_SLOPE else 0.0
    errors = [y - mean - slope * (x - middle) for x, y in zip(ahead, logs, strict=True)]
    squares = sum(error**2 for error in errors) + _DOUBT * _UNKNOWN_SD**2
    sd = math.sqrt(squares / (count + _DOUBT - 1))
    spread = sum((x - middle) ** 2 for x in ahead)
    slope_sd = sd / math.sqrt(spread) if count >= DAYS_FOR_A_SLOPE else 0.0
    return Trend(mean - slope * middle, slope, slope_sd, sd, middle)
