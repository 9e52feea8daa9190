"""Retrieval measures by ir-measures: nDCG@10, R@5 (recall at 5) and RR@10 (reciprocal rank).

The mean of RR@10 over queries is MRR@10. nDCG is trec_eval's: linear gains, log2 discount
(Järvelin and Kekäläinen, 2002), as BEIR's published figures are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import ir_measures
from ir_measures import RR, R, nDCG

from evals.datasets.golden import GoldenQuestion, Passage
from evals.measures.scores import Aggregate, Score, Scored, Unscored, aggregate, scored
from evals.measures.spans import PassageIndex
from rag_core.domain import Hit

MEASURES = (nDCG @ 10, R @ 5, RR @ 10)
NAMES = tuple(map(str, MEASURES))

Qrels = Mapping[str, Mapping[str, int]]
"""Query id -> document id -> judgement; above zero is relevant."""
Ranked = Sequence[tuple[str, float]]
"""Document ids with scores, higher is better; a document may come more than once."""


@dataclass(frozen=True)
class RetrievalScores:
    """A row per judged query and measure, and each measure over all queries."""

    rows: Mapping[str, Mapping[str, Score]]
    """Measure -> query id -> score."""
    aggregates: Mapping[str, Aggregate]


def collapse(ranked: Ranked) -> list[str]:
    """Distinct documents, best first, each at its best chunk's place; ties keep their order."""
    ordered = sorted(ranked, key=lambda pair: -pair[1])
    return list(dict.fromkeys(document for document, _ in ordered))


def score_runs(
    qrels: Qrels,
    runs: Mapping[str, Ranked],
    *,
    failures: Mapping[str, str] | None = None,
    clusters: Mapping[str, str] | None = None,
    seed: int = 0,
) -> RetrievalScores:
    """Score every judged query; `runs` for unjudged queries are ignored.

    `clusters` names the cluster of a query that hangs together with others.

    A query with an empty run was answered with nothing and scores 0. One that is in `failures`,
    missing from `runs`, or without a relevant document is Unscored.
    """
    unscored = _unscored(qrels, runs, failures or {})
    asked = {query: collapse(runs[query]) for query in qrels if query not in unscored}
    rows: dict[str, dict[str, Score]] = {
        name: {query: unscored.get(query, Unscored("not measured")) for query in qrels}
        for name in NAMES
    }
    for metric in ir_measures.iter_calc(MEASURES, _judged(qrels, asked), _as_run(asked)):
        rows[str(metric.measure)][metric.query_id] = scored(metric.value)
    return RetrievalScores(rows, _aggregates(rows, clusters, seed))


def score_golden(
    questions: Sequence[GoldenQuestion],
    runs: Mapping[str, Ranked],
    *,
    failures: Mapping[str, str] | None = None,
    seed: int = 0,
) -> RetrievalScores:
    """Score rankings of passages by question id, each by the set of gold that it does best by."""
    sets = {f"{q.id} {n}": (q.id, gold) for q in questions for n, gold in enumerate(q.gold_sets)}
    qrels = {key: dict.fromkeys(gold, 1) for key, (_, gold) in sets.items()}
    each = score_runs(
        qrels,
        {key: runs[question] for key, (question, _) in sets.items() if question in runs},
        failures={key: failures[q] for key, (q, _) in sets.items() if failures and q in failures},
        seed=seed,
    )
    rows: dict[str, dict[str, Score]] = {name: {} for name in NAMES}
    for name in NAMES:
        for key, (question, _) in sets.items():
            rows[name][question] = _better(rows[name].get(question), each.rows[name][key])
    clusters = {question.id: question.group for question in questions}
    return RetrievalScores(rows, _aggregates(rows, clusters, seed))


def _better(one: Score | None, other: Score) -> Score:
    if isinstance(one, Scored) and isinstance(other, Scored):
        return max(one, other, key=lambda score: score.value)
    return one if isinstance(one, Scored) else other


def _aggregates(
    rows: Mapping[str, Mapping[str, Score]], clusters: Mapping[str, str] | None, seed: int
) -> dict[str, Aggregate]:
    return {
        name: aggregate(name, scores, clusters=clusters, seed=seed, proportion=True)
        for name, scores in rows.items()
    }


def ranked_passages(hits: Iterable[Hit], passages: Iterable[Passage]) -> list[tuple[str, float]]:
    """Hits as a ranking of passages, to be judged against golden passages of the same user.

    A hit stands for every passage it counts for (see `spans.covers`), most shared first; one that
    counts for none keeps its place under its chunk's id, so that it still costs a rank. The scores
    are places, as the cosine of a hit is not what all searches rank by.
    """
    index = PassageIndex.of(passages)
    return [
        (document, -float(place))
        for place, hit in enumerate(hits)
        for document in index.covered_by(hit) or [f"chunk {hit.chunk_id}"]
    ]


def _unscored(
    qrels: Qrels, runs: Mapping[str, Ranked], failures: Mapping[str, str]
) -> dict[str, Unscored]:
    found: dict[str, Unscored] = {}
    for query, judged in qrels.items():
        if query in failures:
            found[query] = Unscored(failures[query])
        elif query not in runs:
            found[query] = Unscored("not asked")
        elif not any(judgement > 0 for judgement in judged.values()):
            found[query] = Unscored("no relevant document is judged")
    return found


def _judged(qrels: Qrels, asked: Mapping[str, object]) -> dict[str, dict[str, int]]:
    return {query: dict(judged) for query, judged in qrels.items() if query in asked}


def _as_run(asked: Mapping[str, Sequence[str]]) -> dict[str, dict[str, float]]:
    """Ranks as scores: trec_eval would break ties of the real scores by document id."""
    return {
        query: {document: float(-rank) for rank, document in enumerate(documents)}
        for query, documents in asked.items()
    }
