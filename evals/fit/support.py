"""Fitting the light check of support to golden claims, and how it does on those held out."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
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
from evals.measures.claims import sentences
from evals.measures.support import SupportWeights, alignment
from evals.measures.support_features import FEATURES, features
from evals.measures.vectors import Vectors
from evals.stats.intervals import Estimate, bootstrap_interval

L2 = 10.0
"""Penalty on weights of features scaled to unit deviation; 1 to 10 did alike out of fold."""
FOLDS = 10
"""Usual for a few hundred rows (Kohavi, 1995)."""
REJECTED = 0.15
"""Share of right claims that the threshold rejects, out of fold."""
ELSEWHERE = "elsewhere"
"""Kind of a right claim beside a passage that it is not about."""
EVERY = 2
"""One right claim of so many is also held beside another passage; chosen of 1 to 4 on dev."""
DIGITS = 4
"""Decimals of a stored weight: what differs between processors is rounded off."""


@dataclass(frozen=True)
class SupportFit:
    """The fitted weights, and the score out of fold of each claim: float64[claims].

    Claims of kind `ELSEWHERE` were fitted on, too, and count neither for the area nor for accuracy.
    """

    weights: SupportWeights
    claims: tuple[Claim, ...]
    scores: Floats

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
        below = self.scores < self.weights.threshold
        wrong = ~self.right & self._golden
        return float((~below[self.right]).mean() + below[wrong].mean()) / 2

    def rejected(self, kind: str) -> tuple[int, int]:
        """How many claims of `kind` score below the threshold, out of fold, and of how many."""
        below = [
            score < self.weights.threshold
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


async def fit_support(golden: GoldenSet, vectors: Vectors) -> SupportFit:
    """Fit on the claims of split "dev", each beside its whole passage as an answer would cite it.

    Claims on one passage share a group, and a group is never in two folds. With `elsewhere`, the
    model also learns that a claim may be about something else.
    """
    dev = tuple(claim for claim in golden.claims if claim.split == "dev")
    claims = (*dev, *elsewhere(dev))
    rows = await _rows(claims, golden, vectors)
    right = np.array([claim.supported for claim in claims])
    signs = [-1] * len(FEATURES)
    folds = folds_by_group([claim.group for claim in claims], FOLDS)
    counts = kinds_evened(claims)
    scores = out_of_fold(rows, right, signs, folds, l2=L2, counts=counts)
    threshold = float(np.quantile(scores[right], REJECTED))
    model = fit_logistic(rows, right, signs, l2=L2, counts=counts)
    return SupportFit(_stored(model, threshold, dev, golden), claims, scores)


def elsewhere(claims: Sequence[Claim]) -> list[Claim]:
    """One right claim of `EVERY`, each beside the passage of a claim of another group, so wrong.

    Golden claims are all about their passage; an answer may cite one that says nothing of it.
    """
    right = [claim for claim in claims if claim.supported]
    others = right[len(right) // 2 :] + right[: len(right) // 2]
    return [
        msgspec.structs.replace(claim, source=other.source, supported=False, kind=ELSEWHERE)
        for claim, other in list(zip(right, others, strict=True))[::EVERY]
        if claim.group != other.group
    ]


def kinds_evened(claims: Sequence[Claim]) -> Floats:
    """float64[claims]: as how many each counts, 1 in the mean of the wrong ones and of the right.

    A kind of n wrong claims counts as the root of n: how many were written of each says nothing
    of how often people meet it. (Chosen of 1, the root and n on dev, by the mean over kinds.)
    """
    many = Counter(claim.kind for claim in claims if not claim.supported)
    shares = np.array([1 if claim.supported else many[claim.kind] ** -0.5 for claim in claims])
    wrong = np.array([not claim.supported for claim in claims])
    shares[wrong] /= shares[wrong].mean()
    return shares


def source_text(claim: Claim, golden: GoldenSet) -> str:
    """What a citation of the claim's passage shows: its title, its reference and its words."""
    passage = golden.passages[claim.source]
    return "\n".join((passage.title, passage.ref, golden.text(claim.source)))


def as_text(fit: SupportFit) -> str:
    """The figures out of fold, and a line for each kind of claim."""
    area = fit.area
    lines = [
        f"light check of support: {fit.weights.claims} dev claims, {FOLDS} folds by group",
        f"AUC {area.value:.3f} [{area.low:.3f}, {area.high:.3f}], "
        f"balanced accuracy {fit.balanced_accuracy:.3f} at threshold {fit.weights.threshold:.4f}",
        *_by_kind(fit, supported=False),
        *_by_kind(fit, supported=True),
    ]
    return "\n".join(lines)


def _by_kind(fit: SupportFit, *, supported: bool) -> list[str]:
    kinds = sorted({claim.kind for claim in fit.claims if claim.supported == supported})
    heading = "right claims rejected" if supported else "wrong claims noticed"
    counts = {kind: fit.rejected(kind) for kind in kinds}
    golden = [count for kind, count in counts.items() if kind != ELSEWHERE]
    total = tuple(map(sum, zip(*golden, strict=True)))
    return [heading] + [
        f"  {kind:<16} {part:>3} of {whole:>3}  {part / whole:>4.0%}"
        for kind, (part, whole) in [*counts.items(), ("all", total)]
    ]


async def _rows(claims: Sequence[Claim], golden: GoldenSet, vectors: Vectors) -> Floats:
    sources = [source_text(claim, golden) for claim in claims]
    await vectors.of([claim.claim for claim in claims])
    await vectors.of([sentence for source in set(sources) for sentence in sentences(source)])
    return np.array(
        [
            features(await alignment(claim.claim, source, vectors))
            for claim, source in zip(claims, sources, strict=True)
        ]
    )


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
        claims_sha256=_digest(claims, golden),
    )


def _digest(claims: Sequence[Claim], golden: GoldenSet) -> str:
    """SHA-256 of the claims and of the passages they are about, in hex."""
    rows = [(claim, source_text(claim, golden)) for claim in claims]
    return hashlib.sha256(msgspec.json.encode(rows)).hexdigest()
