"""Intervals, the one place they come from beside `rag_core.domain.wilson_interval`.

bootstrap_interval    a statistic of measured values (percentile or BCa bootstrap)
ratio_of_sums         a rate over clusters, such as users, whose events hang together
exact_interval        a share, from counts, never too narrow
resampled_means       draws of several columns' means, for what is computed from them
Estimate              a value with its interval
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rag_core.errors import InvalidInput

LEVEL = 0.95
"""Share of intervals that hold the true value."""

RESAMPLES = 2000
"""Of a bootstrap; chosen, 1,000 and more are usual for intervals."""

_Z95 = 1.959964  # 97.5 % point of the normal distribution

Floats = NDArray[np.float64]
AxisStatistic = Callable[..., Floats]
"""Computed along the keyword argument `axis`, as numpy's are."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval from `low` to `high`, in one unit.

    Raises:
        InvalidInput: the numbers are not finite, or the interval leaves the value out.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        finite = bool(np.isfinite([self.value, self.low, self.high]).all())
        if not (finite and self.low <= self.value <= self.high):
            raise InvalidInput(
                "estimate",
                f"must have low <= value <= high, got {self.low!r}, {self.value!r}, {self.high!r}",
            )

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A `value`, in any unit, that is taken as known."""
        return cls(value, value, value)

    @classmethod
    def of_draws(cls, value: float, draws: Floats) -> Estimate:
        """A value with the interval between the percentiles 2.5 and 97.5 of `draws`, float64[n]."""
        low, high = np.percentile(draws, [2.5, 97.5])
        return cls(value, min(float(low), value), max(float(high), value))

    def draws(
        self,
        rng: np.random.Generator,
        count: int,
        *,
        floor: float = 0.0,
        ceiling: float = np.inf,
    ) -> Floats:
        """Values from a normal whose two sides have the interval's two widths; float64[count].

        Draws past `floor` or `ceiling`, the quantity's natural limits, are moved onto them.
        """
        z = rng.standard_normal(count) / _Z95
        width = np.where(z < 0, self.value - self.low, self.high - self.value)
        return np.clip(self.value + z * width, floor, ceiling)


def bootstrap_interval(
    statistic: AxisStatistic,
    *columns: Floats,
    seed: int = 0,
    method: Literal["percentile", "BCa"] = "percentile",
) -> tuple[float, float]:
    """95 % bootstrap of a statistic (Efron and Tibshirani, 1993, ch. 13 and 14).

    `columns` float64[n] each, n >= 2, are the statistic's arguments; whole rows are resampled. The
    order of the rows decides what is drawn: sort them. BCa may be NaN, where rows hardly differ.
    """
    from scipy.stats import bootstrap

    interval = bootstrap(
        columns,
        statistic,
        paired=len(columns) > 1,
        method=method,
        n_resamples=RESAMPLES,
        batch=200,
        confidence_level=LEVEL,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return float(interval.low), float(interval.high)


def ratio_of_sums(parts: ArrayLike, wholes: ArrayLike) -> Estimate:
    """Sum of `parts` over sum of `wholes`, two arrays [n], whole pairs resampled.

    One pair has no spread: its ratio is taken as known.
    """
    pairs = np.asarray(parts, dtype=np.float64), np.asarray(wholes, dtype=np.float64)
    order = np.lexsort(pairs)
    pairs = pairs[0][order], pairs[1][order]
    value = float(ratio(*pairs))
    if len(order) < 2:
        return Estimate.exact(value)
    low, high = bootstrap_interval(ratio, *pairs)
    return Estimate(value, min(low, value), max(high, value))


def exact_interval(events: int, n: int, *, level: float = LEVEL) -> tuple[float, float]:
    """Two-sided interval of a share, `events` of `n` (Clopper and Pearson, 1934).

    Of such intervals the share `level`, or more, holds the true one.
    """
    from scipy.stats import binomtest

    interval = binomtest(events, n).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def resampled_means(rng: np.random.Generator, count: int, *columns: Floats) -> tuple[Floats, ...]:
    """Bootstrap means of columns whose rows are drawn together; each float64[count]."""
    n = len(columns[0])
    weights = rng.multinomial(n, np.full(n, 1 / n), size=count) / n
    return tuple(weights @ column for column in columns)


def ratio(parts: Floats, wholes: Floats, axis: int = -1) -> Floats:
    """Sum of `parts` over sum of `wholes`, float64[..., n] each, along `axis`; float64[...]."""
    return np.asarray(parts.sum(axis=axis) / wholes.sum(axis=axis), dtype=np.float64)
