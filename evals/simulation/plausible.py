"""Plausible traffic: ranges that nobody has measured yet, and a trace for each of their corners.

What a cache does depends on habits that are supposed until traffic is recorded. So a figure is
simulated for the traffic as assumed and for every combination of the low and the high end of each
range (a full two-level factorial design: Box, Hunter and Hunter, "Statistics for Experimenters",
2005, ch. 5), and its band runs from the lowest to the highest of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.traffic import Assumptions, Traffic, generate
from evals.stats.intervals import Estimate

GROUPS = 8
"""Chosen: into so many groups of users a recorded trace is cut, for a band."""


@dataclass(frozen=True, slots=True)
class Range:
    """From where to where one assumption may plausibly lie, and who says so.

    `low` and `high` are in the unit of the field of `Assumptions` that is named.
    """

    name: str
    low: float
    high: float
    source: str


RANGES = (
    Range(
        "zipf_s", 0.6, 1.2,
        "web pages: 0.60 to 1.03 reported (Krashakov et al., arXiv:cs/0404010); more supposed",
    ),
    Range(
        "new_question_rate", 0.1, 0.6,
        "40 % of a person's web searches find again what was found before (Teevan et al., "
        "SIGIR 2007), so 60 % do not; 10 % supposed",
    ),
    Range("requests_per_user_day", 2.0, 30.0, "supposed"),
    Range("questions_per_user", 50, 500, "supposed"),
    Range("edits_per_user_day", 0.05, 5.0, "supposed: a note in three weeks, or a day of writing"),
)  # fmt: skip
"""The number of users is no range: caches and keys are each user's own, so no rate depends on it,
and memory grows with it in proportion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredEvidence:
    """What an edit does to evidence, as it was measured, with intervals."""

    touch: Estimate
    """Chance that an edit of a note that an answer rests on changes the answer's evidence."""
    enter: Estimate
    """Chance that an edit of any other note does."""
    notes: int
    """Number of notes that an answer rests on, the mean."""

    def model(self, assumed: Assumptions, end: str = "value") -> EvidenceModel:
        """The simulator's model, at the `end` of both intervals: low, value or high."""
        return EvidenceModel(
            notes_per_user=assumed.notes_per_user,
            evidence_notes=min(self.notes, assumed.notes_per_user),
            touch_probability=getattr(self.touch, end),
            enter_probability=getattr(self.enter, end),
            seed=assumed.seed,
        )


def ranges_table() -> pd.DataFrame:
    """A row per range; columns low, high and source."""
    rows = [(each.name, each.low, each.high, each.source) for each in RANGES]
    return pd.DataFrame(rows, columns=["assumption", "low", "high", "source"]).set_index(
        "assumption"
    )


def plausible(
    assumed: Assumptions, evidence: MeasuredEvidence, *, requests: int
) -> tuple[Timeline, ...]:
    """The traffic as assumed, and after it every corner of `RANGES`, of about `requests` requests.

    Where many edits are supposed, each of them is supposed to change as much as its interval
    allows, and as little where few are.
    """
    return (
        prepare(generate(assumed), evidence.model(assumed)),
        *(
            prepare(generate(corner), evidence.model(corner, end))
            for corner, end in _corners(assumed, requests)
        ),
    )


def _corners(assumed: Assumptions, requests: int) -> list[tuple[Assumptions, str]]:
    corners = []
    for ends in itertools.product(("low", "high"), repeat=len(RANGES)):
        values = {each.name: getattr(each, end) for each, end in zip(RANGES, ends, strict=True)}
        edits = dict(zip((each.name for each in RANGES), ends, strict=True))["edits_per_user_day"]
        each_asks = values["requests_per_user_day"] * assumed.days
        users = max(2, round(requests / each_asks))
        corners.append((replace(assumed, users=users, **values), edits))
    return corners


def recorded(traffic: Traffic, model: EvidenceModel) -> tuple[Timeline, ...]:
    """A recorded trace, and after it each of up to `GROUPS` groups of its users."""
    users = np.unique(traffic.user)
    parts: Sequence[Traffic] = (
        [traffic.of_users(part) for part in np.array_split(users, min(GROUPS, len(users)))]
        if len(users) > 1
        else []
    )
    return (prepare(traffic, model), *(prepare(part, model) for part in parts))


def band(values: Sequence[float]) -> Estimate:
    """The first value, of the traffic as assumed, within the lowest and the highest of all."""
    return Estimate(float(values[0]), float(min(values)), float(max(values)))
