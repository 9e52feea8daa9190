"""Intervals of many columns at once, all from the same resamples of questions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.stats.intervals import RESAMPLES, Estimate, Floats


@dataclass(frozen=True, slots=True)
class Means:
    """Means of columns and their 95 % intervals; float64[k] each, NaN where nothing is known.

    `n` int[k] counts the questions that are.
    """

    value: Floats
    low: Floats
    high: Floats
    n: NDArray[np.int64]


class Resampling:
    """Percentile bootstrap over questions, those of one group drawn together.

    Args:
        groups: the group of each question; one with an empty name is a group by itself.
    """

    def __init__(self, groups: Sequence[str], *, seed: int = 0) -> None:
        names = [name or f"\0{place}" for place, name in enumerate(groups)]
        _, cluster = np.unique(names, return_inverse=True)
        count = int(cluster.max()) + 1 if len(names) else 0
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES) if count else None
        self._weights: Floats = (
            drawn[:, cluster].astype(np.float64) if drawn is not None else np.empty((RESAMPLES, 0))
        )

    def means(self, columns: Floats) -> Means:
        """Of `columns`, float64[n questions, k]; NaN is a value that is not known."""
        known = ~np.isnan(columns)
        filled = np.where(known, columns, 0.0)
        n = known.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = filled.sum(axis=0) / n
            draws = (self._weights @ filled) / (self._weights @ known.astype(np.float64))
        draws = np.where(np.isnan(draws), value, draws)
        low, high = np.percentile(draws, [2.5, 97.5], axis=0)
        return Means(value, np.minimum(low, value), np.maximum(high, value), n)

    def ratio(self, parts: Floats, wholes: Floats) -> Estimate:
        """Sum of `parts` over sum of `wholes`, float64[n questions] each; unknown ones left out.

        The ratio is of their common unit; 1 where both sums are 0.
        """
        known = ~(np.isnan(parts) | np.isnan(wholes))
        weights = self._weights[:, known]
        with np.errstate(invalid="ignore", divide="ignore"):
            draws = (weights @ parts[known]) / (weights @ wholes[known])
            value = float(parts[known].sum() / wholes[known].sum())
        value = value if np.isfinite(value) else 1.0
        return Estimate.of_draws(value, np.where(np.isfinite(draws), draws, value))
