"""What answers given in trouble are worth, by the measures of the quality notebook.

The extractive generator's own answers to the same questions are scored the same way: a degraded
answer is to be as good, and no better can be asked of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evals.datasets.golden import GoldenQuestion
from evals.drills.timeline import Ended
from evals.measures.catalogue import Instruments, measures
from evals.measures.observations import Observation
from evals.measures.scores import Scored
from evals.measures.summary import score_of
from rag_core.domain import Answer

CITATIONS, FACTS = "citation_precision", "fact_recall"
WORDED = {CITATIONS: "citations right", FACTS: "facts stated"}
_MEASURES = tuple(measure for measure in measures() if measure.name in WORDED)


@dataclass(frozen=True, slots=True)
class Compared:
    """Means of a measure, `given` and `extractive` as shares, over `n` questions that have both."""

    measure: str
    given: float
    extractive: float
    n: int

    @property
    def points_below(self) -> float:
        """By how many points, of 100, what was given is worse than extractive answers."""
        return 100 * (self.extractive - self.given)


class Scorer:
    """Scores answers beside the extractive generator's; the same answer is scored once.

    Args:
        extractive: the extractive generator's answer to each question, by the question's id.
    """

    def __init__(self, use: Instruments, extractive: Mapping[str, Answer]) -> None:
        self._use = use
        self._extractive = extractive
        self._known: dict[tuple[str, str], Mapping[str, float]] = {}

    async def compared(self, ended: Iterable[Ended]) -> dict[str, Sequence[Compared]]:
        """Each measure of the answers to questions that have an extractive one, by provenance."""
        pairs: dict[str, list[tuple[Mapping[str, float], Mapping[str, float]]]] = {}
        for each in ended:
            own = self._extractive.get(each.arrival.question.id)
            if each.answer and own:
                question = each.arrival.question
                pair = await self._scores(question, each.answer), await self._scores(question, own)
                pairs.setdefault(each.provenance, []).append(pair)
        return {name: list(_means(of_it)) for name, of_it in pairs.items()}

    async def _scores(self, question: GoldenQuestion, answer: Answer) -> Mapping[str, float]:
        cited = " ".join(citation.chunk_id for citation in answer.citations)
        key = question.id, f"{answer.text} {cited}"
        if key not in self._known:
            self._known[key] = await self._score(Observation(question, answer))
        return self._known[key]

    async def _score(self, seen: Observation) -> Mapping[str, float]:
        scores = {each.name: await score_of(each, seen, self._use) for each in _MEASURES}
        return {name: its.value for name, its in scores.items() if isinstance(its, Scored)}


def _means(
    pairs: Sequence[tuple[Mapping[str, float], Mapping[str, float]]],
) -> Iterable[Compared]:
    for name in WORDED:
        both = [(given[name], own[name]) for given, own in pairs if name in given and name in own]
        if both:
            given, own = np.mean(both, axis=0)
            yield Compared(name, float(given), float(own), len(both))
