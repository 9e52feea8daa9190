"""What a reply is worth: facts in its context, facts it states, whether it rightly keeps quiet."""

from __future__ import annotations

import math

from evals.budgets.stages import Reply
from evals.datasets.golden import Fact, GoldenQuestion, GoldenSet, Scenario
from evals.measures.abstention import SHOULD_ABSTAIN
from evals.measures.citations import NEARLY_COVERED, fact_recall
from evals.measures.observations import Observation
from evals.measures.scores import Score, Scored
from evals.measures.spans import coverage
from evals.measures.support import SupportChecker
from evals.measures.vectors import Vectors
from rag_core.domain import Context

NOT_ASKED = frozenset({Scenario.ATTACK})
"""Refused before any budget is spent."""


def facts_in_context(question: GoldenQuestion, context: Context, golden: GoldenSet) -> float:
    """Share of the question's facts whose quote lies, nearly whole, in the context's sources.

    NaN where the question has no fact. A source that was cut counts as far as its text goes.
    """
    facts = question.facts
    held = sum(_held(fact, context, golden) for fact in facts)
    return held / len(facts) if facts else math.nan


async def facts_stated(
    question: GoldenQuestion, reply: Reply, checker: SupportChecker, vectors: Vectors
) -> float:
    """Share of the question's facts that the answer states (see `citations.fact_recall`)."""
    if reply.answer is None:
        return math.nan
    score: Score = await fact_recall(Observation(question, reply.answer), checker, vectors)
    return score.value if isinstance(score, Scored) else math.nan


def right_abstention(question: GoldenQuestion, reply: Reply) -> float:
    """1 if what the notes answer is answered, or what they do not is declined, else 0.

    A share; NaN where the data do not say which is right.
    """
    if reply.answer is None:
        return math.nan
    if question.answerable:
        return float(not reply.answer.declines)
    return float(reply.answer.declines) if question.scenario in SHOULD_ABSTAIN else math.nan


def _held(fact: Fact, context: Context, golden: GoldenSet) -> bool:
    passage = golden.passages[fact.passage]
    start = passage.start + golden.text(fact.passage).index(fact.quote)
    sources = [
        (source.hit.start, source.hit.start + len(source.text))
        for source in context.sources
        if source.hit.note_id == passage.note
    ]
    return coverage((start, start + len(fact.quote)), sources) >= NEARLY_COVERED
