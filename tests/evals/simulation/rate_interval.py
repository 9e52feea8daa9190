"""How far a rate of a random trace may lie from its expectation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evals.simulation.traffic import Traffic
from evals.stats.intervals import Estimate, ratio_of_sums


def rate_interval(traffic: Traffic, happened: NDArray[np.bool_]) -> Estimate:
    """Share of requests for which something happened, bool[n], whole users resampled."""
    _, code = np.unique(traffic.user, return_inverse=True)
    return ratio_of_sums(np.bincount(code, weights=happened), np.bincount(code))
