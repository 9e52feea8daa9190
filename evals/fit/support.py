"""Fitting the light check of support to golden claims, and how it does on those held out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from evals.datasets.golden import Claim, GoldenSet
from evals.fit.logistic import (
    Booleans,
    Floats,
    Logistic,
    area_under_curve,
    fit_logistic,
    folds_by_group,
    out_of_fold,
)
from evals.measures.support import SupportWeights, alignments
from evals.measures.support_features import FEATURES, features
from evals.measures.support_nearest import embed_pairs
from evals.measures.support_reader import SupportReader
from evals.measures.vectors import Vectors
from evals.results.table import text_table
from evals.stats.intervals import Estimate, bootstrap_interval

L2 = 10.0
"""Penalty on weights of features scaled to unit deviation; 1 to 10 did alike out of fold."""
NEGATED_COUNTS = 3.0
"""As how many claims a negated one counts, the worst of faults; 1, 2, 3 and 5 were tried on dev."""
FOLDS = 10
"""Usual for a few hundred rows (Kohavi, 1995)."""
REJECTED = 0.15
"""Share of right claims that the threshold rejects, out of fold."""
NEGATED = "negated"
"""Kind of a wrong claim that denies what its source says, or says what it denies."""
ELSEWHERE = "elsewhere"
"""Kind of a right claim beside a passage that it is not about."""
EVERY = 2
"""One right claim of so many is also held beside another passage; chosen of 1 to 4 on dev."""
DIGITS = 4
"""Decimals of a stored weight: what differs between processors is rounded off."""


@dataclass(frozen=True)
class OutOfFold:
    """The score out of fold of each claim beside one kind of source: float64[claims].

    Claims of kind `ELSEWHERE` were fitted on, too, and count neither for the area nor for accuracy.
    """

    claims: tuple[Claim, ...]
    scores: Floats
    threshold: float
    """A probability: a claim with a score below is rejected."""

    @property
    def right(self) -> Booleans:
        """bool[claims]: which of them are supported."""
        return np.array([claim.supported for claim in self.claims])

    @property
    def area(self) -> Estimate:
        """Area under the ROC curve, out of fold; its interval resamples groups of claims."""
        groups = np.array([claim.group for claim in self.claims if claim.kind != ELSEWHERE])
        members = [np.flatnonzero(groups == group) for group in sorted(set(groups))]

        def of_groups(drawn: Floats, axis: int = -1) -> Floats:
            return np.apply_along_axis(self._area_of, axis, drawn, members)

        value = area_under_curve(self.scores[self._golden], self.right[self._golden])
        low, high = bootstrap_interval(of_groups, np.arange(len(members), dtype=np.float64))
        return Estimate(value, min(low, value), max(high, value))

    @property
    def balanced_accuracy(self) -> float:
        """Mean of the share of right claims kept and of wrong ones noticed, out of fold."""
        below = self.scores < self.threshold
        wrong = ~self.right & self._golden
        return float((~below[self.right]).mean() + below[wrong].mean()) / 2

    def rejected(self, kind: str) -> tuple[int, int]:
        """How many claims of `kind` score below the threshold, out of fold, and of how many."""
        below = [
            score < self.threshold
            for claim, score in zip(self.claims, self.scores, strict=True)
            if claim.kind == kind
        ]
        return sum(below), len(below)

    @property
    def _golden(self) -> Booleans:
        return np.array([claim.kind != ELSEWHERE for claim in self.claims])

    def _area_of(self, drawn: Floats, members: Sequence[NDArray[np.intp]]) -> float:
        rows = np.concatenate([members[int(group)] for group in drawn])
        return area_under_curve(self.scores[rows], self.right[rows])


@dataclass(frozen=True)
class SupportFit:
    """The fitted weights, and how they do out of fold on each claim beside two sources.

    Its whole passage is what an answer cites; the words that decide are as short as an answer is,
    where it is asked whether it states a fact.
    """

    weights: SupportWeights
    beside_passage: OutOfFold
    beside_evidence: OutOfFold


async def fit_support(golden: GoldenSet, vectors: Vectors, reader: SupportReader) -> SupportFit:
    """Fit on the claims of split "dev", each beside its passage and beside the words that decide.

    Claims on one passage share a group, and a group is never in two folds. With `elsewhere`, the
    model also learns that a claim may be about something else.
    """
    dev = tuple(claim for claim in golden.claims if claim.split == "dev")
    claims = (*dev, *elsewhere(dev))
    passages = [(claim.claim, source_text(claim, golden)) for claim in claims]
    evidence = [(claim.claim, claim.evidence) for claim in claims]
    rows = await _rows([*passages, *evidence], vectors, reader)
    right = np.array([claim.supported for claim in (*claims, *claims)])
    signs = [-1] * len(FEATURES)
    counts = np.array([NEGATED_COUNTS if c.kind == NEGATED else 1.0 for c in (*claims, *claims)])
    folds = folds_by_group([claim.group for claim in (*claims, *claims)], FOLDS)
    scores = out_of_fold(rows, right, signs, folds, l2=L2, counts=counts)
    threshold = float(np.quantile(scores[right], REJECTED))
    weights = _stored(
        fit_logistic(rows, right, signs, l2=L2, counts=counts), threshold, dev, golden
    )
    beside = [OutOfFold(claims, each, weights.threshold) for each in np.split(scores, 2)]
    return SupportFit(weights, *beside)


def elsewhere(claims: Sequence[Claim]) -> list[Claim]:
    """One right claim of `EVERY`, each beside the passage of a claim of another group, so wrong.

    Golden claims are all about their passage; an answer may cite one that says nothing of it.
    """
    right = [claim for claim in claims if claim.supported]
    others = right[len(right) // 2 :] + right[: len(right) // 2]
    return [
        msgspec.structs.replace(
            claim, source=other.source, evidence=other.evidence, supported=False, kind=ELSEWHERE
        )
        for claim, other in list(zip(right, others, strict=True))[::EVERY]
        if claim.group != other.group
    ]


def source_text(claim: Claim, golden: GoldenSet) -> str:
    """What a citation of the claim's passage shows: its title, its reference and its words."""
    passage = golden.passages[claim.source]
    return "\n".join((passage.title, passage.ref, golden.text(claim.source)))


def as_text(fit: SupportFit) -> str:
    """The figures out of fold, and a line for each kind of claim, beside either source."""
    lines = [
        f"light check of support: {fit.weights.claims} dev claims, {FOLDS} folds by group, "
        f"threshold {fit.weights.threshold:.4f}"
    ]
    columns = {"passage": fit.beside_passage, "the words": fit.beside_evidence}
    for name, each in columns.items():
        lines.append(
            f"beside {name}: AUC {each.area.value:.3f} [{each.area.low:.3f}, {each.area.high:.3f}],"
            f" balanced accuracy {each.balanced_accuracy:.3f}"
        )
    cells = [
        [kind, str(counts[0][1]), *(f"{part / whole:.0%}" for part, whole in counts)]
        for supported in (False, True)
        for kind, counts in _by_kind(list(columns.values()), supported=supported).items()
    ]
    return "\n".join([*lines, text_table(("rejected", "claims", *columns), cells)])


def _by_kind(beside: Sequence[OutOfFold], *, supported: bool) -> dict[str, list[tuple[int, int]]]:
    kinds = sorted({claim.kind for claim in beside[0].claims if claim.supported == supported})
    counts = {kind: [each.rejected(kind) for each in beside] for kind in kinds}
    golden = [each for kind, each in counts.items() if kind != ELSEWHERE]
    total = [
        (sum(part for part, _ in column), sum(whole for _, whole in column))
        for column in zip(*golden, strict=True)
    ]
    return counts | {"all right" if supported else "all wrong": total}


async def _rows(
    pairs: Sequence[tuple[str, str]], vectors: Vectors, reader: SupportReader
) -> Floats:
    await embed_pairs(pairs, vectors)
    return np.array([features(each) for each in await alignments(pairs, vectors, reader)])


def _stored(
    model: Logistic, threshold: float, claims: Sequence[Claim], golden: GoldenSet
) -> SupportWeights:
    return SupportWeights(
        weights={
            feature.__name__: round(float(weight), DIGITS) + 0.0
            for feature, weight in zip(FEATURES, model.weights, strict=True)
        },
        intercept=round(model.intercept, DIGITS),
        threshold=math.floor(threshold * 10**DIGITS) / 10**DIGITS,  # a tie is no rejection
        l2=L2,
        claims=len(claims),
        claims_sha256=claims_digest(claims, golden),
    )


def claims_digest(claims: Sequence[Claim], golden: GoldenSet) -> str:
    """SHA-256 of the claims and of the passages they are about, in hex."""
    rows = [(claim, source_text(claim, golden)) for claim in claims]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()
