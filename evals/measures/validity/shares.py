"""Shares of claims or answers, with intervals that respect what hangs together."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping

from evals.measures.scores import Aggregate, Score, Scored, Unscored
from evals.stats.intervals import wilson_interval


def share_of(name: str, rows: Mapping[str, Score], groups: Mapping[str, str]) -> Aggregate:
    """Share of the scored rows whose value is 1, with its 95 % interval; values are 0 or 1.

    The interval is Wilson's (1927) for as many rows as there would be without groups: n over the
    design effect (Rao and Scott, 1992). Where all values are equal, a group counts as one row.
    """
    values = {key: row.value for key, row in rows.items() if isinstance(row, Scored)}
    reasons = Counter(row.reason for row in rows.values() if isinstance(row, Unscored))
    missing = len(rows) - len(values)
    if not values:
        return Aggregate(name, None, None, None, 0, missing, dict(reasons))
    mean = sum(values.values()) / len(values)
    low, high = wilson_interval(mean, _effective_n(values, groups))
    return Aggregate(
        name, mean, min(low, mean), max(high, mean), len(values), missing, dict(reasons)
    )


def _effective_n(values: Mapping[str, float], groups: Mapping[str, str]) -> float:
    n, mean = len(values), sum(values.values()) / len(values)
    apart: dict[str, float] = defaultdict(float)
    for key, value in values.items():
        apart[groups.get(key, key)] += value - mean
    clusters = len(apart)
    if clusters == 1 or mean in (0, 1):
        return clusters
    variance = clusters / (clusters - 1) * sum(x * x for x in apart.values()) / n**2
    return min(n, mean * (1 - mean) / max(variance, sys.float_info.min))
