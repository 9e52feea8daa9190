"""The funnel: what becomes of the golden facts, from the hits to the answer.

found in the hits -> in the context -> cited -> stated (`citations.fact_recall`). Each stage is a
share of the same facts, so what is lost between two of them is lost there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from evals.datasets.golden import Fact, GoldenQuestion, GoldenSet
from evals.measures.citations import NEARLY_COVERED
from evals.measures.observations import Observation
from evals.measures.scores import Score, Scored, Unscored
from evals.measures.spans import coverage

STAGES: Mapping[str, str] = {
    "facts_found": "in the hits",
    "facts_in_context": "in the context",
    "facts_cited": "cited",
    "fact_recall": "stated",
}
"""Measures in the order of the pipeline, and what they say of a fact."""

Span = tuple[str, int, int]
"""A note's id and where a piece of it stands in its body, in characters."""


def facts_found(observation: Observation, golden: GoldenSet) -> Score:
    """Share of the golden facts whose quote the hits hold, nearly whole; 0 for a refusal."""
    hits = observation.ranking.hits if observation.ranking else ()
    spans = [(hit.note_id, hit.start, hit.end) for hit in hits]
    return _observed(observation) or _share(observation.question, golden, spans)


def facts_in_context(observation: Observation, golden: GoldenSet) -> Score:
    """Share of the golden facts whose quote the generator saw, nearly whole; 0 for a refusal."""
    sources = observation.context.sources if observation.context else ()
    spans = [(s.hit.note_id, s.hit.start, s.hit.start + len(s.text)) for s in sources]
    return _observed(observation) or _share(observation.question, golden, spans)


def facts_cited(observation: Observation, golden: GoldenSet) -> Score:
    """Share of the golden facts whose quote the cited chunks hold, nearly whole."""
    if observation.answer is None:
        return Unscored(observation.failure)
    return _share(observation.question, golden, cited_spans(observation))


def cited_spans(observation: Observation) -> list[Span]:
    """Where the citations of the answer stand."""
    citations = observation.answer.citations if observation.answer else ()
    return [(cited.note_id, cited.start, cited.end) for cited in citations]


def holds(fact: Fact, golden: GoldenSet, spans: Iterable[Span]) -> bool:
    """Whether `spans` hold the fact's quote, nearly whole."""
    passage = golden.passages[fact.passage]
    start = passage.start + golden.text(fact.passage).index(fact.quote)
    pieces = [(first, last) for note, first, last in spans if note == passage.note]
    return coverage((start, start + len(fact.quote)), pieces) >= NEARLY_COVERED


def _observed(observation: Observation) -> Unscored | None:
    """None where hits and context are known, be it that a refusal has none."""
    if observation.answer is None:
        return Unscored(observation.failure)
    if observation.ranking is None and not observation.answer.refused:
        return Unscored("the hits were not observed")
    return None


def _share(question: GoldenQuestion, golden: GoldenSet, spans: list[Span]) -> Score:
    """Of the set of gold whose facts are held best; facts need not quote every set."""
    if not question.facts:
        return Unscored("the question has no fact")
    held = {fact for fact in question.facts if holds(fact, golden, spans)}
    of_sets = [{f for f in question.facts if f.passage in gold} for gold in question.gold_sets]
    best = max((len(held & facts) / len(facts) for facts in of_sets if facts), default=0.0)
    unquoted = [
        gold
        for gold, facts in zip(question.gold_sets, of_sets, strict=True)
        if not facts and all(_touched(passage, golden, spans) for passage in gold)
    ]
    if best < 1 and unquoted:
        return Unscored("another set of gold is there than the facts quote")
    return Scored(best)


def _touched(name: str, golden: GoldenSet, spans: list[Span]) -> bool:
    passage = golden.passages[name]
    pieces = [(start, end) for note, start, end in spans if note == passage.note]
    return coverage((passage.start, passage.end), pieces) > 0
