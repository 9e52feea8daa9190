"""A checker's card: how well it tells right claims from wrong ones, kind by kind."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.measures.scores import Aggregate, Scored, aggregate
from evals.measures.support import SupportChecker
from evals.measures.validity.checkers import outcomes
from evals.measures.validity.labelled_claims import LabelledClaim
from evals.stats.intervals import Estimate
from evals.stats.separation import auc, balanced_accuracy

REJECTED = 0.15
"""Share of right claims that the strict threshold rejects at most: checkers compare there."""


@dataclass(frozen=True)
class Operation:
    """A checker at one `threshold`, a score below which a claim is rejected.

    `noticed` is the share of wrong claims that are rejected, `rejected` that of right ones; each
    also by kind. `balanced_accuracy` is the mean of the shares that are judged correctly.
    """

    threshold: float
    """In the unit of the scores, 0 to 1."""
    balanced_accuracy: Estimate
    noticed: Aggregate
    rejected: Aggregate
    noticed_by_kind: Mapping[str, Aggregate]
    rejected_by_kind: Mapping[str, Aggregate]

    @property
    def out_of_reach(self) -> tuple[str, ...]:
        """Kinds of wrong claims that are rejected no more surely than right ones are."""
        limit = self.rejected.value or 0.0
        kinds = self.noticed_by_kind.items()
        return tuple(kind for kind, share in kinds if share.low is None or share.low <= limit)


@dataclass(frozen=True)
class Card:
    """What a checker is worth on labelled claims; without both kinds scored, `auc` is None."""

    checker: str
    n: int
    """Claims that were scored."""
    unscored: Mapping[str, int]
    """How many were not, by reason."""
    auc: Estimate | None
    own: Operation | None
    """At the threshold that the checker names."""
    strict: Operation | None
    """At the highest threshold that rejects no more than `REJECTED` of the right claims."""

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        strict = {"out_of_reach": self.strict.out_of_reach} if self.strict else {}
        return asdict(self) | strict


async def card(checker: SupportChecker, claims: Sequence[LabelledClaim], *, seed: int = 0) -> Card:
    """Ask `checker` about every claim, and say how well it did."""
    found = await outcomes(checker, [(each.claim, each.source) for each in claims])
    unscored = aggregate("", found).reasons
    rows = [
        (row.value, claim)
        for row, claim in zip(found, claims, strict=True)
        if isinstance(row, Scored)
    ]
    right = sorted(score for score, claim in rows if claim.supported)
    if not right or len(right) == len(rows):
        return Card(checker.name, len(rows), unscored, None, None, None)
    area = auc(
        [score for score, _ in rows],
        [claim.supported for _, claim in rows],
        [claim.group for _, claim in rows],
        seed=seed,
    )
    strict = right[math.floor(REJECTED * len(right))]
    own, at_strict = (_operation(rows, at, seed) for at in (checker.threshold, strict))
    return Card(checker.name, len(rows), unscored, area, own, at_strict)


Rows = Sequence[tuple[float, LabelledClaim]]
"""Each claim with its score."""


def _operation(rows: Rows, threshold: float, seed: int) -> Operation:
    accuracy = balanced_accuracy(
        [score >= threshold for score, _ in rows],
        [claim.supported for _, claim in rows],
        [claim.group for _, claim in rows],
        seed=seed,
    )
    right, wrong = ([row for row in rows if row[1].supported is side] for side in (True, False))
    return Operation(
        threshold,
        accuracy,
        _rejected("all", wrong, threshold),
        _rejected("all", right, threshold),
        _by_kind(wrong, threshold),
        _by_kind(right, threshold),
    )


def _by_kind(rows: Rows, threshold: float) -> dict[str, Aggregate]:
    kinds: dict[str, list[tuple[float, LabelledClaim]]] = defaultdict(list)
    for score, claim in rows:
        kinds[claim.kind].append((score, claim))
    return {kind: _rejected(kind, of_kind, threshold) for kind, of_kind in kinds.items()}


def _rejected(name: str, rows: Rows, threshold: float) -> Aggregate:
    below = {str(n): Scored(float(score < threshold)) for n, (score, _) in enumerate(rows)}
    groups = {str(n): claim.group for n, (_, claim) in enumerate(rows)}
    return aggregate(name, below, clusters=groups, proportion=True)
