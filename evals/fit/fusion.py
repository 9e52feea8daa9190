"""What a point of BM25 is to count beside the cosine: weights tried on dev questions, in turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.measures.scores import Score, Scored
from evals.results.numbers import span
from evals.results.table import text_table
from evals.retrieval.ways import score_questions, search_by
from evals.stats.paired import PairedDifference, paired_difference
from rag_core.bootstrap import Application
from rag_core.domain import SearchMode
from rag_core.settings import Settings

WEIGHTS = (0.0, 0.0025, 0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03)
"""Tried: from the cosine alone to where BM25, which reaches ten and more, decides."""
CHOSEN_BY, BESIDE = "R@5", "nDCG@10"
"""The best mean of the first over all questions is chosen; the second is shown beside it."""
ALL, CLOSE, OTHER_WORDS = "all", "close", "other_words"
_SEED = 0


@dataclass(frozen=True)
class FusionFit:
    """What each weight scored on the same questions, by measure and question id."""

    questions: Mapping[str, GoldenQuestion]
    scores: Mapping[float, Mapping[str, Mapping[str, Score]]]

    @property
    def best(self) -> float:
        """The number that is the weight of the best mean; of equal ones the least."""
        return max(self.scores, key=lambda weight: (self.mean(weight), -weight))

    def mean(self, weight: float, measure: str = CHOSEN_BY, phrasing: str = ALL) -> float:
        """0 to 1, by the number `weight`, over the questions of that phrasing."""
        rows = self.scores[weight][measure]
        asked = (q for q in self.questions.values() if phrasing in (ALL, q.phrasing))
        return mean(score.value for q in asked if isinstance(score := rows[q.id], Scored))

    def gain(self, weight: float) -> PairedDifference:
        """Of the number `weight` over no weight at all, by groups of questions."""
        return paired_difference(
            f"{CHOSEN_BY} by weight {weight} minus none",
            self.scores[0.0][CHOSEN_BY],
            self.scores[weight][CHOSEN_BY],
            clusters={q.id: q.group for q in self.questions.values()},
            seed=_SEED,
        )


async def fit_fusion(
    application: Application, settings: Settings, sets: Sequence[GoldenSet]
) -> FusionFit:
    """Every dev question of the `sets` that has an answer, by each weight; the notes are stored."""
    asked = [[q for q in each.questions if q.split == "dev" and q.answerable] for each in sets]
    queries = {q.id: (q.question, q.user) for part in asked for q in part}
    ways = {
        weight: {"search_mode": SearchMode.HYBRID, "lexical_weight": weight} for weight in WEIGHTS
    }
    searched = await search_by(application, settings, ways, queries, "dev questions by each weight")
    scores: dict[float, dict[str, dict[str, Score]]] = {}
    for weight, found in searched.found.items():
        rows = scores[weight] = {CHOSEN_BY: {}, BESIDE: {}}
        for golden, part in zip(sets, asked, strict=True):
            judged = score_questions(golden, part, found, _SEED).rows
            for measure, merged in rows.items():
                merged.update(judged[measure])
    return FusionFit({q.id: q for part in asked for q in part}, scores)


def as_text(fit: FusionFit, deployed: float) -> str:
    """A line for each weight, and which is best beside the number `deployed`."""
    counts = [sum(phrasing in (ALL, q.phrasing) for q in fit.questions.values())
              for phrasing in (ALL, CLOSE, OTHER_WORDS)]  # fmt: skip
    columns = (
        "weight of BM25", f"recall@5, all {counts[0]}", f"close {counts[1]}",
        f"other words {counts[2]}", "nDCG@10, all", "recall@5 − none", "95 %", "p",
    )  # fmt: skip
    rows = [_row(fit, weight) for weight in fit.scores]
    return (
        f"{text_table(columns, rows)}\n\nBest mean of recall@5: {fit.best:g};"
        f" deployed is RAG_LEXICAL_WEIGHT={deployed:g}. Weights whose intervals overlap are not"
        " told apart."
    )


def _row(fit: FusionFit, weight: float) -> list[str]:
    means = [fit.mean(weight, phrasing=phrasing) for phrasing in (ALL, CLOSE, OTHER_WORDS)]
    shown = [f"{weight:g}", *(f"{value:.3f}" for value in (*means, fit.mean(weight, BESIDE)))]
    if not weight:
        return [*shown, "", "", ""]
    gain = fit.gain(weight)
    return [*shown, f"{gain.mean:+.3f}", span(gain.low, gain.high, "score"), f"{gain.p:.3f}"]
