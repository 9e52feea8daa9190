"""Citation precision and recall against the gold passages, and the facts that are stated."""

from __future__ import annotations

from itertools import pairwise

from evals.datasets.golden import Fact, GoldenSet
from evals.measures.claims import claims
from evals.measures.observations import Observation
from evals.measures.quoting import nearly_stands_in, stands_in
from evals.measures.scores import Score, Scored, Unscored, share
from evals.measures.spans import covers
from evals.measures.support import SupportChecker
from evals.measures.vectors import Vectors

NEARLY_COVERED = 0.8
"""Share of a quote's characters that an answer, or chunks, must hold."""
ABOUT = 0.5
"""Least cosine of a fact to what an answer says about it.

A checker asks whether a claim may be a free summary of a passage; an answer is short, and states
near it other facts of the same question. Chosen of 0.4 to 0.7 on the golden facts of split dev.
"""


def citation_precision(observation: Observation, golden: GoldenSet) -> Score:
    """Cited chunks that count for a gold passage / cited chunks (see `spans.covers`)."""
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    cited = {citation.chunk_id: citation for citation in answer.citations}
    gold = [golden.passages[passage] for passage in observation.question.gold]
    right = sum(any(covers(chunk, passage) for passage in gold) for chunk in cited.values())
    reason = "the answer declines" if answer.declines else "the answer cites nothing"
    return share(right, len(cited), nothing=reason)


def citation_recall(observation: Observation, golden: GoldenSet) -> Score:
    """Gold passages cited / gold passages, of the set of gold that is cited best.

    0 for an answer that declines, as it cites none.
    """
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    if not observation.question.answerable:
        return Unscored("the question has no gold passage")
    cited = {
        passage
        for passage in observation.question.gold
        if any(covers(chunk, golden.passages[passage]) for chunk in answer.citations)
    }
    sets = observation.question.gold_sets
    return Scored(max(len(cited & set(gold)) / len(set(gold)) for gold in sets))


async def fact_recall(observation: Observation, checker: SupportChecker, vectors: Vectors) -> Score:
    """Share of the golden facts that the answer itself states.

    A fact is stated when its supporting quote stands (nearly) in the answer, not denied there, or
    when a sentence of the answer, or a pair, is about it (`ABOUT`) and the checker finds it
    supported by the answer. An answer that declines states none, and scores 0.
    """
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    said = [] if answer.declines else [claim.text for claim in claims(answer)]
    facts = observation.question.facts
    stated = sum([await states(said, fact, checker, vectors) for fact in facts])
    return share(stated, len(facts), nothing="the question has no fact")


async def states(
    said: list[str], fact: Fact, checker: SupportChecker, vectors: Vectors, *, about: float = ABOUT
) -> bool:
    """Whether the sentences `said` state `fact`.

    Args:
        about: a cosine, -1 to 1, see `ABOUT`.
    """
    text = "\n".join(said)
    if stands_in(fact.quote, text) or nearly_stands_in(fact.quote, text):
        return True
    units = said + [f"{first} {second}" for first, second in pairwise(said)]
    if await vectors.best_cosine(fact.fact, units) < about:
        return False
    (score,) = await checker.scores([(fact.fact, text)])
    return score >= checker.threshold
