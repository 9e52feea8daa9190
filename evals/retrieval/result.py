"""What a retrieval run comes to: headline numbers, tables, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evals.measures.scores import Scored
from evals.results.numbers import number, share, span
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table, Unit, headline
from evals.retrieval.pictures import MEASURES
from evals.retrieval.study import OVERLAPS, CollectionRun, RetrievalRun
from rag_core.domain import SearchMethod

if TYPE_CHECKING:
    import pandas as pd


def headlines(run: RetrievalRun) -> tuple[Headline, ...]:
    """Three numbers of exact search and one of HNSW for each collection."""
    return tuple(each for collection in run.collections for each in _headlines(collection))


def retrieval_result(run: RetrievalRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures and tables of a run, for the report."""
    return NotebookResult(
        title="Search",
        verdict=verdict(run),
        n=sum(collection.queries for collection in run.collections),
        headlines=headlines(run),
        pictures=tuple(pictures),
        tables=(_table(run), _plans(run)),
        facts={
            "embedder digest": run.embedder,
            "ef_search": str(run.ef_search),
            "notes in the store": run.ingested.state,
            **{
                f"index, {collection.name}, {method}": searched.index
                for collection in run.collections
                for method, searched in collection.runs.items()
            },
        },
        data={
            "collections": {collection.name: _data(collection) for collection in run.collections}
        },
    )


def verdict(run: RetrievalRun) -> str:
    """A paragraph computed from the numbers."""
    sentences = []
    for collection in run.collections:
        recall = collection.scores[SearchMethod.EXACT].aggregates["R@5"]
        if recall.value is not None:
            sentences.append(
                f"On {collection.name}, exact search has {share(recall.value)} of the right "
                f"passages among its first five ({recall.n} queries)."
            )
    lost = [collection.overlap[5].value for collection in run.collections]
    known = [value for value in lost if value is not None]
    if known:
        sentences.append(
            f"HNSW finds {share(min(known))} or more of what exact search finds in the first five."
        )
    return " ".join([*sentences, _speed(run)])


def collection_table(run: RetrievalRun) -> pd.DataFrame:
    """The table of the report as a data frame, a row per collection and search method."""
    import pandas as pd

    table = _table(run)
    frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
    return frame.set_index(["collection", "search"])


def plan_text(run: RetrievalRun) -> str:
    """Both plans of the first collection, a line a node."""
    return "\n\n".join(
        f"{method}: {searched.index}\n{searched.plan_text}"
        for method, searched in run.collections[0].runs.items()
    )


_OF_EXACT: dict[str, tuple[str, Unit, str]] = {
    "R@5": (
        "Recall@5", "share",
        "Share of the right passages among the first five that exact search finds.",
    ),
    "nDCG@10": (
        "nDCG@10", "score",
        "How near the top the right passages stand among ten, 1 is best; exact search.",
    ),
    "RR@10": (
        "MRR@10", "score",
        "One over the rank of the first right passage, on average; exact search.",
    ),
}  # fmt: skip
"""Headlines of exact search by measure: name, unit and meaning."""


def _headlines(collection: CollectionRun) -> list[Headline]:
    exact = collection.scores[SearchMethod.EXACT].aggregates
    return [
        *(
            headline(exact[measure], f"{name}, {collection.name}", meaning, unit=unit)
            for measure, (name, unit, meaning) in _OF_EXACT.items()
        ),
        headline(
            collection.overlap[5], f"HNSW recall@5 against exact, {collection.name}", target=0.95,
            meaning="Share of what exact search finds first that the HNSW index finds, too.",
        ),
    ]  # fmt: skip


def _speed(run: RetrievalRun) -> str:
    slowest = max(run.collections, key=lambda collection: collection.documents)
    exact, _ = slowest.latency(SearchMethod.EXACT)
    hnsw, _ = slowest.latency(SearchMethod.HNSW)
    return (
        f"On {slowest.name}, with {slowest.documents:,} documents, the median search takes "
        f"{number(exact.value, 'ms')} exactly and {number(hnsw.value, 'ms')} by HNSW."
    )


def _table(run: RetrievalRun) -> Table:
    rows = [_row(collection, method) for collection in run.collections for method in SearchMethod]
    columns = (
        "collection", "search", "queries", *MEASURES.values(), "nDCG 95 %",
        *(f"recall@{k} against exact" for k in OVERLAPS), "p50 ms", "p95 ms", "found by",
    )  # fmt: skip
    return Table(
        "By collection",
        columns,
        tuple(rows),
        "Collections are judged by projected lists and headings: compare rows, and never quote "
        "them as absolute quality. The last column is what EXPLAIN says was scanned.",
    )


def _row(collection: CollectionRun, method: SearchMethod) -> tuple[Cell, ...]:
    aggregates = collection.scores[method].aggregates
    p50, p95 = collection.latency(method)
    exact = method is SearchMethod.EXACT
    return (
        collection.name,
        method.value,
        collection.queries,
        *(aggregates[name].value for name in MEASURES),
        span(aggregates["nDCG@10"].low, aggregates["nDCG@10"].high, "score"),
        *(1.0 if exact else collection.overlap[k].value for k in OVERLAPS),
        p50.value,
        p95.value,
        collection.runs[method].index,
    )


def _plans(run: RetrievalRun) -> Table:
    rows = [
        (collection.name, method.value, searched.plan_text)
        for collection in run.collections
        for method, searched in collection.runs.items()
    ]
    return Table(
        "Plans, as EXPLAIN (ANALYZE) has them", ("collection", "search", "plan"), tuple(rows)
    )


def _data(collection: CollectionRun) -> dict[str, object]:
    return {
        method.value: {
            measure: {
                query: score.value if isinstance(score, Scored) else None
                for query, score in rows.items()
            }
            for measure, rows in scores.rows.items()
        }
        for method, scores in collection.scores.items()
    }
