"""What renewal theory says a cache does, to hold the simulator against.

Assumptions, for one question of one user: requests arrive as a Poisson process of rate
`request_rate`; its evidence changes as an independent Poisson process of rate `change_rate`; an
entry lives exactly `ttl_s` from when it was generated (no sliding, no jitter); memory never evicts
it; the trace is long, so that neither its cold start nor the life cut off at its end counts. Rates
are per second, of *that* question: for traffic over many, use `mixture`.

A cycle runs from one generation to the next. Arrivals during an entry's life are hits, and the
first arrival after it starts the next cycle, so with a mean life L a cycle has one miss and
`request_rate * L` hits, and the hit rate is request_rate L / (1 + request_rate L)
(renewal-reward theorem; Wolff, "Stochastic Modeling and the Theory of Queues", 1989, ch. 2).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from evals.simulation.traffic import Floats


def hit_rate(request_rate: ArrayLike, ttl_s: ArrayLike) -> Floats:
    """Hit rate when only the TTL ends an entry: L = T, so lambda T / (1 + lambda T).

    float64[...] of the shape that the arguments broadcast to, as all functions here give.
    """
    return _hit_rate_of_life(request_rate, np.asarray(ttl_s, dtype=np.float64))


def hit_rate_until_change(
    request_rate: ArrayLike, ttl_s: ArrayLike, change_rate: ArrayLike
) -> Floats:
    """Hit rate when a change ends an entry too: L = E[min(T, Exp(mu))] = (1 - e^(-mu T)) / mu.

    For flush-on-change, `change_rate` counts every edit of the user; for evidence revalidation
    only those that change the question's evidence. All these hits are valid. A change that no
    request has seen yet ends the life all the same: the next request generates.
    """
    ttl = np.asarray(ttl_s, dtype=np.float64)
    rate = np.asarray(change_rate, dtype=np.float64)
    return _hit_rate_of_life(request_rate, ttl * _mean_survival(rate * ttl))


def stale_share_of_hits(change_rate: ArrayLike, ttl_s: ArrayLike) -> Floats:
    """Share of hits with changed evidence when only the TTL ends an entry; float64[...].

    1 - (1 - e^(-mu T)) / (mu T). Given that a request is a hit, the entry's age is uniform on
    [0, T) (Poisson arrivals are uniform over each life, and every life is equally long), and at
    age a the evidence has changed with probability 1 - e^(-mu a); this is its mean. The request
    rate cancels, and misses, which are never stale, are not in the base.
    """
    return 1 - _mean_survival(
        np.asarray(change_rate, dtype=np.float64) * np.asarray(ttl_s, dtype=np.float64)
    )


def epoch_reads_per_request(request_rate: ArrayLike, max_staleness_s: ArrayLike) -> Floats:
    """Reads of an epoch per request, if a process believes its copy for S: 1 / (1 + lambda S).

    float64[...] of the shape that the arguments broadcast to.
    A copy is an entry that lives S from when it was read, so reads are the misses of a cache with
    a TTL of S. `request_rate` is of one user in one process. Of the requests that believe a copy,
    `stale_share_of_hits` of the user's rate of edits and S go by an epoch that has changed.
    """
    return 1 - hit_rate(request_rate, max_staleness_s)


def mixture(values: ArrayLike, weights: ArrayLike) -> float:
    """A share over many questions: the mean of their shares weighted by how often each counts.

    Weight hit rates with request rates, and stale shares with request rate times hit rate.
    """
    return float(np.average(np.asarray(values), weights=np.asarray(weights)))


def _hit_rate_of_life(request_rate: ArrayLike, life_s: Floats) -> Floats:
    hits = np.asarray(request_rate, dtype=np.float64) * life_s
    return np.asarray(hits / (1 + hits))


def _mean_survival(changes: Floats) -> Floats:
    """(1 - e^-x) / x, the mean of e^(-x u) over u uniform on [0, 1]; 1 at x = 0."""
    safe = np.where(changes > 0, changes, 1.0)
    return np.where(changes > 0, -np.expm1(-safe) / safe, 1.0)
