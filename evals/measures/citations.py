"""Citation precision and recall against the gold passages, and the facts that are stated."""

from __future__ import annotations

from rapidfuzz import fuzz

from evals.datasets.golden import Fact, GoldenSet
from evals.measures.claims import claims, disagreements, folded, quoted_in
from evals.measures.observations import Observation
from evals.measures.scores import Score, Scored, Unscored, share
from evals.measures.spans import covers
from evals.measures.vectors import Vectors

NEARLY_COVERED = 0.8
"""Share of a quote's characters that an answer, or chunks, must hold."""
NEARLY_QUOTED = 90.0
"""Least partial ratio (rapidfuzz, 0 to 100) of a quote to an answer that repeats it."""
STATES = 0.65
"""Least cosine of a fact to a sentence of an answer that states it.

Measured with MiniLM on the golden facts: 89 % reach it against the words that support them, 3.5 %
against the words that support another fact of the same question.
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


async def fact_recall(observation: Observation, vectors: Vectors) -> Score:
    """Share of the golden facts that the answer itself states.

    A fact is stated when its supporting quote stands (nearly) in the answer, or a sentence of the
    answer is close to the fact in meaning and has its numbers and names. An answer that declines
    states none, and scores 0.
    """
    answer = observation.answer
    if answer is None:
        return Unscored(observation.failure)
    said = [] if answer.declines else [claim.text for claim in claims(answer)]
    facts = observation.question.facts
    stated = sum([await states(said, fact, vectors) for fact in facts])
    return share(stated, len(facts), nothing="the question has no fact")


async def states(said: list[str], fact: Fact, vectors: Vectors) -> bool:
    """Whether the sentences `said` state `fact`."""
    text = " ".join(said)
    if quoted_in(fact.quote, text) or _nearly_quoted(fact.quote, text):
        return True
    return (
        not disagreements(fact.fact, text) and await vectors.best_cosine(fact.fact, said) >= STATES
    )


def _nearly_quoted(quote: str, text: str) -> bool:
    # partial_ratio looks for the shorter in the longer: a short answer is no quote of a long one.
    longer = len(text) >= NEARLY_COVERED * len(quote)
    return longer and fuzz.partial_ratio(folded(quote), folded(text)) >= NEARLY_QUOTED
