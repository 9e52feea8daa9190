"""How old the answers are that a setting serves, and those that it would serve in an outage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evals.simulation.simulator import Setting, generated_answers, ttl_factors
from evals.simulation.timeline import Timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerAges:
    """Shares of all requests. An answer is old from a stated age, though its evidence stands."""

    old_share: float
    """Served from the cache with an old answer."""
    outage_share: float
    """Generated, where an outage at that moment would have served a stored answer as STALE: it is
    past its soft TTL and within its hard one, and its evidence stands."""
    outage_old_share: float
    """Those of them whose stored answer is old."""


def answer_ages(timeline: Timeline, setting: Setting, *, old_after_s: float) -> AnswerAges:
    """The ages that `setting` allows on one trace, under the policy that it follows."""
    jitter = ttl_factors(timeline, setting)
    generated = generated_answers(timeline, setting, jitter)
    source = np.maximum.accumulate(np.where(generated, np.arange(len(generated)), 0))
    age_s = timeline.time_s - timeline.time_s[source]
    # What a request that generates would have found: the answer that served the one before it.
    before = np.concatenate([[0], source[:-1]])
    stored_s = timeline.time_s - timeline.time_s[before]
    stale = (
        generated
        & (np.diff(timeline.key, prepend=-1) == 0)
        & (timeline.version == timeline.version[before])
        & (stored_s < setting.answer_hard_ttl_s * jitter[before])
    )
    return AnswerAges(
        old_share=float((~generated & (age_s >= old_after_s)).mean()),
        outage_share=float(stale.mean()),
        outage_old_share=float((stale & (stored_s >= old_after_s)).mean()),
    )
