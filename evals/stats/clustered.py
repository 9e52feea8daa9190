"""Values in clusters that hang together, and the intervals of their mean, share and quantiles.

Questions on one note, or one question in several words, are a cluster: they tend to go well or
badly together, so whole clusters are what is resampled and counted. Every order of the same rows
gives the same interval, to the last digit.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from evals.stats.intervals import (
    RESAMPLES,
    Floats,
    bootstrap_interval,
    ratio,
)
from rag_core.domain import wilson_interval

FEW = 10
"""Below so many clusters a bootstrap's interval is too narrow (Hesterberg, 2015, section 3.2)."""

_BATCHES = 10
"""In which resamples are drawn, for memory."""

_NO_SPREAD = 1e-12
"""Standard errors below this share of the mean are rounding."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % interval and the `method` that made it; without bounds, `method` says why.

    `low` and `high` are in the unit of the values.
    """

    low: float | None
    high: float | None
    method: str

    def around(self, value: float, limits: tuple[float, float]) -> Interval:
        """The interval within the quantity's `limits`, and never without `value` itself."""
        if self.low is None or self.high is None:
            return self
        low, high = max(self.low, limits[0]), min(self.high, limits[1])
        return Interval(min(low, value), max(high, value), self.method)


def _none(why: str) -> Interval:
    return Interval(None, None, f"none: {why}")


@dataclass(frozen=True, eq=False)
class Clustered:
    """`values` float64[n], ascending, n >= 1, and the `cluster` of each, 0 to m - 1, int[n]."""

    values: Floats
    cluster: NDArray[np.intp]

    @classmethod
    def of(
        cls, values: Mapping[str, float], clusters: Mapping[str, str] | None = None
    ) -> Clustered:
        """Values by question; one that `clusters` gives no name, or "", is a cluster by itself."""
        labels = np.array(_labels(values, clusters or {}))
        rows = np.fromiter(values.values(), dtype=np.float64, count=len(values))
        order = np.lexsort((labels, rows))
        _, numbers = np.unique(labels[order], return_inverse=True)
        return cls(rows[order], numbers)

    @property
    def n(self) -> int:
        """How many values there are."""
        return len(self.values)

    @property
    def clusters(self) -> int:
        """How many clusters there are."""
        return int(self.cluster.max()) + 1

    @property
    def mean(self) -> float:
        """Over values, whatever their clusters; in their unit."""
        return float(self.values.mean())

    def quantile(self, q: float) -> float:
        """The quantile at the share `q` of the values, in their unit, whatever their clusters."""
        return float(np.quantile(self.values, q))

    @property
    def totals(self) -> tuple[Floats, Floats]:
        """Each cluster's sum and its number of values, ascending; float64[m] each."""
        sums = np.asarray(np.bincount(self.cluster, weights=self.values), dtype=np.float64)
        counts = np.bincount(self.cluster).astype(np.float64)
        order = np.lexsort((counts, sums))
        return sums[order], counts[order]

    @property
    def standard_error(self) -> float:
        """Of the mean, by linearisation over clusters (Cochran, 1977), in the values' unit."""
        sums, counts = self.totals
        apart = float(np.square(sums - counts * self.mean).sum())
        return float(np.sqrt(self.clusters / (self.clusters - 1) * apart)) / self.n


def mean_interval(
    rows: Clustered, *, limits: tuple[float, float] = (-np.inf, np.inf), seed: int = 0
) -> Interval:
    """Of the mean: BCa bootstrap over clusters (Efron, 1987), in the unit of the values.

    Fewer than `FEW` clusters get Student's t interval instead, from the spread between clusters.
    Where there is no spread, as of one cluster or of equal values, there is no interval: it would
    be the value alone, and claim to know it.
    """
    if rows.clusters < 2:
        return _none("one value or cluster has no spread")
    if rows.standard_error <= _NO_SPREAD * max(1.0, abs(rows.mean)):
        return _none("all values are equal")
    interval = _student(rows) if rows.clusters < FEW else _bca(rows, seed)
    return interval.around(rows.mean, limits)


def share_interval(rows: Clustered) -> Interval:
    """Of a share, from values that are 0 or 1: Wilson's (1927) score interval.

    Where clusters have several values it is Wilson's for the effective sample size: n over the
    design effect (Rao and Scott, 1992), corrected for few clusters by their degrees of freedom
    (Korn and Graubard, 1998), and never above n. Where all values are equal, no design effect can
    be seen, and each cluster counts as one value.
    """
    if rows.clusters == rows.n:
        return Interval(*wilson_interval(rows.mean, rows.n), "Wilson").around(rows.mean, (0, 1))
    interval = Interval(*wilson_interval(rows.mean, _effective_n(rows)), "Wilson, by clusters")
    return interval.around(rows.mean, (0, 1))


def quantile_interval(rows: Clustered, q: float, *, seed: int = 0) -> Interval:
    """Of the `q` quantile: percentile bootstrap over clusters; none where all values are equal."""
    if rows.clusters < 2:
        return _none("one value or cluster has no spread")
    if np.ptp(rows.values) == 0:
        return _none("all values are equal")
    quantile = partial(np.quantile, q=q)
    if rows.clusters == rows.n:
        low, high = bootstrap_interval(quantile, rows.values, seed=seed)
    else:
        low, high = np.percentile(_cluster_quantiles(rows, q, seed), [2.5, 97.5])
    found = Interval(float(low), float(high), "percentile bootstrap")
    return found.around(rows.quantile(q), (-np.inf, np.inf))


def _labels(questions: Iterable[str], clusters: Mapping[str, str]) -> list[str]:
    """A name of each question's cluster; a question's own is never that of a cluster."""
    named = ((question, clusters.get(question)) for question in questions)
    return [f"cluster {name}" if name else f"question {question}" for question, name in named]


def _student(rows: Clustered) -> Interval:
    half = _t(rows.clusters - 1) * rows.standard_error
    return Interval(rows.mean - half, rows.mean + half, "Student's t")


def _bca(rows: Clustered, seed: int) -> Interval:
    from scipy.stats import DegenerateDataWarning

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", DegenerateDataWarning)
        low, high = bootstrap_interval(ratio, *rows.totals, seed=seed, method="BCa")
    if np.isfinite([low, high]).all():
        return Interval(low, high, "BCa bootstrap")
    low, high = bootstrap_interval(ratio, *rows.totals, seed=seed)
    return Interval(low, high, "percentile bootstrap, as BCa is degenerate")


def _effective_n(rows: Clustered) -> float:
    share, clusters = rows.mean, rows.clusters
    if clusters == 1 or share in (0, 1):
        return clusters
    variance = max(rows.standard_error**2, np.finfo(np.float64).tiny)
    freedom = (_t(rows.n - 1) / _t(clusters - 1)) ** 2
    return min(rows.n, share * (1 - share) / variance * freedom)


def _cluster_quantiles(rows: Clustered, q: float, seed: int) -> Floats:
    """Of each resample of clusters, as `np.quantile` gives it; float64[RESAMPLES]."""
    drawn = np.random.default_rng(seed).integers(rows.clusters, size=(RESAMPLES, rows.clusters))
    return np.concatenate([_quantiles(rows, each, q) for each in np.array_split(drawn, _BATCHES)])


def _quantiles(rows: Clustered, drawn: NDArray[np.intp], q: float) -> Floats:
    """Of the clusters in each row of `drawn`, int[draws, m], linear between values; float64[draws].

    The values are ascending, so how often each is drawn says where a rank lies.
    """
    draws = len(drawn)
    apart = drawn + rows.clusters * np.arange(draws)[:, np.newaxis]
    times = np.bincount(apart.ravel(), minlength=draws * rows.clusters).reshape(draws, -1)
    ranks_up_to = times[:, rows.cluster].cumsum(axis=1)
    last = ranks_up_to[:, -1] - 1
    rank = q * last
    lower = np.floor(rank).astype(np.intp)

    def at(whole: NDArray[np.intp]) -> Floats:
        return np.asarray(rows.values[(ranks_up_to <= whole[:, np.newaxis]).sum(axis=1)])

    low, high, share = at(lower), at(np.minimum(lower + 1, last)), rank - lower
    wide = high - low
    return np.asarray(np.where(share < 0.5, low + wide * share, high - wide * (1 - share)))


def _t(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))
