"""Checkers beside the light one: the plain cosine, ragas' metrics, the judge."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from evals.measures.catalogue import RAGAS_ANSWER
from evals.measures.check_failure import CheckFailed
from evals.measures.judge import Judge, JudgeFailed
from evals.measures.judge_cache import BudgetSpent
from evals.measures.scores import Score, Scored, Unscored, scored
from evals.measures.support import SupportChecker
from evals.measures.vectors import Vectors
from rag_core.domain import split_sentences

AT_A_TIME = 8
"""Claims that a server is asked at once."""

_JUDGE_PROMPT = """\
How probable is it that the document supports all that the claim says?

Reply as {{"probability": P}}, P from 0.0 (contradicted, or not said) to 1.0 (all of it is said).
Judge by the document alone: what is true of the world and not said there is not supported.

Document:
{source}

Claim:
{claim}
"""


class FallibleChecker(ABC):
    """A `SupportChecker` whose calls may fail, one claim for itself."""

    name: str
    threshold: float = 0.5
    """Probability from which on a claim is supported: the middle, where a checker names none."""

    @abstractmethod
    async def score(self, claim: str, source: str) -> float:
        """Probability, 0 to 1, that the source supports the claim.

        Raises:
            CheckFailed: no score could be had.
        """

    @cached_property
    def _known(self) -> dict[tuple[str, str], Score]:
        return {}

    async def outcomes(self, pairs: Sequence[tuple[str, str]]) -> list[Score]:
        """A score for each pair of claim and source; what failed is Unscored.

        Nothing is asked twice, not even what failed.
        """
        gate = asyncio.Semaphore(AT_A_TIME)

        async def ask(claim: str, source: str) -> None:
            async with gate:
                self._known[claim, source] = await self._outcome(claim, source)

        new = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        await asyncio.gather(*(ask(*pair) for pair in new))
        return [self._known[pair] for pair in pairs]

    async def _outcome(self, claim: str, source: str) -> Score:
        try:
            return scored(await self.score(claim, source))
        except CheckFailed as error:
            return Unscored(str(error))

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """See `SupportChecker`.

        Raises:
            CheckFailed: one of the pairs has no score.
        """
        return [_value(outcome) for outcome in await self.outcomes(pairs)]


async def outcomes(checker: SupportChecker, pairs: Sequence[tuple[str, str]]) -> list[Score]:
    """A score for each pair of claim and source, whichever kind of checker gives it."""
    if isinstance(checker, FallibleChecker):
        return await checker.outcomes(pairs)
    return [scored(value) for value in await checker.scores(pairs)]


class CosineChecker:
    """The reference: cosine of the claim to the sentence, or pair of them, that is closest."""

    name = "cosine"
    threshold = 0.6
    """That of groundedness in release 0.1.0."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors

    async def scores(self, pairs: Sequence[tuple[str, str]]) -> Sequence[float]:
        """See `SupportChecker`."""
        return await asyncio.gather(*(self._score(claim, source) for claim, source in pairs))

    async def _score(self, claim: str, source: str) -> float:
        single = split_sentences(source)
        doubles = [f"{first} {second}" for first, second in pairwise(single)]
        return max(0.0, await self._vectors.best_cosine(claim, single + doubles))


class RagasTexts:
    """ragas' scores of claims against sources, all metrics of a pair taken at once."""

    def __init__(self, vectors: Vectors) -> None:
        self._vectors = vectors
        self._known: dict[tuple[str, str], Mapping[str, Score]] = {}

    async def of(self, claim: str, source: str) -> Mapping[str, Score]:
        """The scores of one pair, by metric."""
        from evals.measures.ragas_adapter import text_scores  # takes 2 s

        if (claim, source) not in self._known:
            self._known[claim, source] = await text_scores(claim, source, self._vectors)
        return self._known[claim, source]


class RagasChecker(FallibleChecker):
    """One of ragas' metrics that need no language model, taken as a probability."""

    def __init__(self, metric: str, texts: RagasTexts) -> None:
        self.name = metric.replace("ragas_", "ragas ").replace("_", " ")
        self._metric, self._texts = metric, texts

    async def score(self, claim: str, source: str) -> float:
        """See `FallibleChecker`."""
        return _value((await self._texts.of(claim, source))[self._metric])


class JudgeChecker(FallibleChecker):
    """The configured judge, asked for a probability; each claim is paid for from its budget."""

    def __init__(self, judge: Judge) -> None:
        self.name = f"judge {judge.model}"
        self._judge = judge

    async def score(self, claim: str, source: str) -> float:
        """See `FallibleChecker`."""
        prompt = _JUDGE_PROMPT.format(source=source, claim=claim)
        try:
            return await self._judge.ask(prompt, _probability)
        except (JudgeFailed, BudgetSpent) as error:
            raise CheckFailed(str(error)) from error


def ragas_checkers(vectors: Vectors) -> list[SupportChecker]:
    """A checker for each metric of ragas that needs no language model."""
    texts = RagasTexts(vectors)
    return [RagasChecker(metric, texts) for metric in RAGAS_ANSWER]


def _probability(reply: str) -> float:
    value = json.loads(reply).get("probability")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"probability must be a number from 0 to 1, got {value!r}")
    return float(value)


def _value(score: Score) -> float:
    match score:
        case Scored(value):
            return value
        case Unscored(reason):
            raise CheckFailed(reason)
