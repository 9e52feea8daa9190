"""Whether paired differences have dropped: one-sided tests over clusters, and what they can show.

drop_p                the share of drops as large by luck alone
lower_bound           what the mean difference is at least, at 95 %
smallest_detectable   the drop that so many questions show with a given power
holm                  p-values of several tests, so that one of them all errs no oftener
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evals.stats.clustered import Clustered
from evals.stats.intervals import LEVEL, Floats

RULE_OF_THREE = 3.0
"""Of m clusters in which nothing changed, up to 3 / m may change, at 95 % (Hanley and
Lippman-Hand, 1983)."""

EXACT = 13
"""Clusters that changed up to which all signs are tried: 8,192 ways."""

DRAWS = 9999
"""Of random signs beyond; chosen: the error of a p of 0.05 is then 0.002."""


def drop_p(rows: Clustered, *, seed: int = 0) -> float:
    """One-sided p of differences that are negative where the candidate is worse.

    McNemar's exact test (1947) where every cluster that changed did so by as much, as single yes
    and no do; else Fisher's randomisation test on the signs of the clusters' sums.
    """
    sums = rows.totals[0]
    changed = sums[sums != 0]
    if not len(changed):
        return 1.0
    if np.ptp(np.abs(changed)) == 0:
        from scipy.stats import binom

        return float(binom.cdf((changed > 0).sum(), len(changed), 0.5))
    return _sign_flips(changed, seed)


def _sign_flips(changed: Floats, seed: int) -> float:
    observed = changed.sum()
    near = observed + 1e-9 * np.abs(changed).sum()
    if len(changed) <= EXACT:
        ways = np.arange(2 ** len(changed))[:, np.newaxis] >> np.arange(len(changed)) & 1
        return float(((2 * ways - 1) @ changed <= near).mean())
    rng = np.random.default_rng(seed)
    signs = rng.integers(0, 2, size=(DRAWS, len(changed)), dtype=np.int8) * 2 - 1
    return float((1 + (signs @ changed <= near).sum()) / (DRAWS + 1))


def lower_bound(rows: Clustered) -> float:
    """One-sided 95 % bound of the mean, in its unit: by Student's t over clusters.

    Never nearer to the mean than 3 / m of a full point, as so much may change unseen.
    """
    hidden = RULE_OF_THREE / rows.clusters
    if rows.clusters < 2:
        return rows.mean - hidden
    from scipy.stats import t

    half = float(t.ppf(LEVEL, rows.clusters - 1)) * rows.standard_error
    return rows.mean - max(half, hidden)


def smallest_detectable(rows: Clustered, *, alpha: float, power: float) -> float:
    """Drop of the mean, in its unit, that a test at `alpha` shows with probability `power`.

    (z of 1 - alpha + z of power) standard errors, as is usual; never below 3 / m of a full point.
    """
    from scipy.stats import norm

    hidden = RULE_OF_THREE / rows.clusters
    if rows.clusters < 2:
        return hidden
    z = float(norm.ppf(1 - alpha) + norm.ppf(power))
    return max(z * rows.standard_error, hidden)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted so that all tests together err in the share alpha at most (Holm, 1979)."""
    adjusted = [1.0] * len(p_values)
    least = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        least = max(least, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = least
    return adjusted


def median_bounds(values: Floats) -> tuple[float, float]:
    """95 % interval of the median of float64[n], between two of the values, whatever they follow.

    By the binomial law of how many lie below it (Conover, 1999, section 3.2); of five values and
    fewer it is unbounded.
    """
    from scipy.stats import binom

    ordered = np.sort(values)
    outside = int(binom.ppf((1 - LEVEL) / 2, len(ordered), 0.5))
    if outside < 1:
        return -math.inf, math.inf
    return float(ordered[outside - 1]), float(ordered[-outside])
