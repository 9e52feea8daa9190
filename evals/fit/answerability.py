"""Fitting the decision whether notes can answer a question, and what its threshold costs."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import msgspec
import numpy as np

from evals.datasets.golden import GoldenQuestion
from evals.fit.answer_cases import Case
from evals.fit.logistic import Floats, area_under_curve, fit_logistic, folds_by_group, out_of_fold
from evals.project import ROOT
from rag_core.search import FIRST, AnswerabilityModel

FEATURES = {"best_cosine": 1, "coverage": 1, "absent_names": -1}
"""Each with the sign that its weight must have."""
L2 = 1.0
"""Penalty on weights of features scaled to unit deviation: chosen, as a weak one."""
FOLDS = 10
"""Usual for a few hundred rows (Kohavi, 1995)."""
MODEL_FILE = ROOT / "rag_core/search/answerability.json"
LOST = 0.08
"""Share of answerable dev questions that the threshold declines, out of fold."""
DIGITS = 4
"""Decimals of a stored number, chosen: what differs between processors is rounded off."""


class StoredModel(msgspec.Struct, frozen=True):
    """The coefficients and what they were fitted to, as the package holds them."""

    weights: dict[str, float]
    intercept: float
    """A number: the log odds where every feature is 0."""
    threshold: float
    """A probability, 0 to 1."""
    lost: float
    """Share of answerable dev questions below the threshold, out of fold."""
    l2: float
    """The penalty, a number as `fit_logistic` takes it."""
    questions: int
    cases: int
    questions_sha256: str


@dataclass(frozen=True)
class AnswerabilityFit:
    """The model, and the probability of each case out of fold: float64[cases]."""

    model: StoredModel
    cases: tuple[Case, ...]
    scores: Floats

    @property
    def area(self) -> float:
        """Area under the ROC curve, out of fold: a number, 0 to 1."""
        return area_under_curve(self.scores, _answerable(self.cases))

    def declined(self, threshold: float) -> dict[str, tuple[int, int]]:
        """By kind: how many score below `threshold`, a probability, and of how many."""
        return declined_by_kind(self.cases, self.scores, threshold)


def declined_by_kind(
    cases: Sequence[Case], scores: Floats, threshold: float
) -> dict[str, tuple[int, int]]:
    """By kind of case: how many score below `threshold`, a probability, and of how many.

    Args:
        scores: float64[cases], probabilities.
    """
    below: dict[str, list[bool]] = defaultdict(list)
    for case, score in zip(cases, scores, strict=True):
        below["answerable" if case.answerable else case.kind].append(bool(score < threshold))
    return {kind: (sum(each), len(each)) for kind, each in sorted(below.items())}


def fit_answerability(
    cases: Sequence[Case], questions: Sequence[GoldenQuestion]
) -> AnswerabilityFit:
    """Fit to `cases`, of which there is one for each of `questions` and one for each elsewhere."""
    rows, answerable = feature_rows(cases), _answerable(cases)
    signs = list(FEATURES.values())
    folds = folds_by_group([case.group for case in cases], FOLDS)
    scores = out_of_fold(rows, answerable, signs, folds, l2=L2)
    threshold = float(np.quantile(scores[answerable], LOST))
    threshold = np.floor(threshold * 10**DIGITS) / 10**DIGITS
    model = fit_logistic(rows, answerable, signs, l2=L2)
    stored = StoredModel(
        weights={
            name: round(float(weight), DIGITS) + 0.0
            for name, weight in zip(FEATURES, model.weights, strict=True)
        },
        intercept=round(model.intercept, DIGITS),
        threshold=float(threshold),
        lost=round(float((scores[answerable] < threshold).mean()), DIGITS),
        l2=L2,
        questions=len(questions),
        cases=len(cases),
        questions_sha256=hashlib.sha256(
            msgspec.json.encode([(q.id, q.user, q.question) for q in questions])
        ).hexdigest(),
    )
    return AnswerabilityFit(stored, tuple(cases), scores)


def feature_rows(cases: Sequence[Case]) -> Floats:
    """float64[cases, features]."""
    return np.array([[asdict(case.signs)[name] for name in FEATURES] for case in cases], float)


def as_text(fit: AnswerabilityFit) -> str:
    """The coefficients, the figures out of fold, and a line for each kind."""
    model = fit.model
    weights = ", ".join(f"{name} {weight:+.4g}" for name, weight in model.weights.items())
    lines = [
        f"answerability: {model.questions} dev questions, {model.cases} cases, {FOLDS} folds",
        f"{weights}, intercept {model.intercept:+.4g}",
        f"AUC {fit.area:.3f} out of fold; declined below {model.threshold:.4f}:",
        *_lines(fit.declined(model.threshold)),
        _within_reach(fit.cases),
    ]
    return "\n".join(lines)


def held_out_table(fit: AnswerabilityFit, cases: Sequence[Case]) -> str:
    """What the model declines of test questions, by kind."""
    stored = fit.model
    model = AnswerabilityModel(stored.weights, stored.intercept, stored.questions_sha256)
    scores = np.array([model.probability(case.signs) for case in cases])
    declined = declined_by_kind(cases, scores, stored.threshold)
    return "\n".join(
        [
            "test questions, declined below the same threshold:",
            *_lines(declined),
            _within_reach(cases),
        ]
    )


def declinable(cases: Sequence[Case], lost: float) -> float:
    """Share, 0 to 1, that a judge could decline of others' questions, losing `lost`, a share.

    A judge who knows for each question whether its gold is among the first hits, and nothing else:
    where it is not, an answerable question looks to it like somebody else's, so it declines the
    same share of both.
    """
    found = [case.found for case in cases if case.answerable]
    missing = 1 - sum(found) / len(found)
    return min(1.0, lost / missing) if missing else 1.0


def _within_reach(cases: Sequence[Case]) -> str:
    found = [case.found for case in cases if case.answerable]
    return (
        f"gold is among the first {FIRST} hits of {sum(found)} of {len(found)} answerable ones: who"
        f" saw that of each, and no more, could decline {declinable(cases, LOST):.0%} of the others"
        f" where {LOST:.0%} of them may be lost"
    )


def _lines(declined: dict[str, tuple[int, int]]) -> list[str]:
    return [
        f"  {kind:<18} {part:>4} of {whole:>4}  {part / whole:>4.0%}"
        for kind, (part, whole) in declined.items()
    ]


def _answerable(cases: Sequence[Case]) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.array([case.answerable for case in cases])
