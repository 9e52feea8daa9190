"""What a retrieval run comes to: headline numbers, tables, a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from evals.measures.scores import Scored
from evals.results.numbers import number, share, span
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table, Unit, headline
from evals.results.splits import split_headline
from evals.retrieval.deployed import DeployedRun
from evals.retrieval.modes_result import mode_headlines, mode_table, mode_verdict
from evals.retrieval.pictures import MEASURES
from evals.retrieval.search_runs import plan_lines
from evals.retrieval.study import OVERLAPS, CollectionRun, RetrievalRun
from rag_core.domain import SearchMethod

if TYPE_CHECKING:
    import pandas as pd


def headlines(run: RetrievalRun) -> tuple[Headline, ...]:
    """Three numbers as deployed; three of exact search, one of HNSW and one of modes for each."""
    of_collections = (each for collection in run.collections for each in _headlines(collection))
    return (*_deployed(run.deployed), *of_collections, *mode_headlines(run.modes))


def _deployed(run: DeployedRun) -> list[Headline]:
    how = f"the pipeline: {run.method}, {run.k} hits, {run.threshold}"
    made = (
        split_headline(
            partial(headline, name=f"{name}, as deployed", meaning=f"{meaning} {how}.", unit=unit),
            run.of_splits(measure),
        )
        for measure, (name, unit, meaning) in _OF_DEPLOYED.items()
    )
    return [each for each in made if each]


def retrieval_result(run: RetrievalRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures and tables of a run, for the report."""
    return NotebookResult(
        title="Search",
        verdict=verdict(run),
        n=run.deployed.queries + sum(each.queries for each in run.collections),
        headlines=headlines(run),
        pictures=tuple(pictures),
        tables=(_table(run), mode_table(run.modes), _plans(run)),
        facts={
            "embedder digest": run.embedder,
            "ef_search": str(run.ef_search),
            "notes in the store": run.ingested.state,
            "index, as deployed": run.deployed.index,
            **{
                f"index, {collection.name}, {method}": searched.index
                for collection in run.collections
                for method, searched in collection.runs.items()
            },
        },
        data={
            "collections": {collection.name: _data(collection) for collection in run.collections},
            "hashes": {collection.name: collection.hashes for collection in run.collections},
        },
    )


def verdict(run: RetrievalRun) -> str:
    """A paragraph computed from the numbers."""
    sentences = [_as_deployed(run.deployed)]
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
    return " ".join([*sentences, _speed(run), mode_verdict(run.modes)])


def _as_deployed(run: DeployedRun) -> str:
    by_split = run.of_splits("R@5")
    parts = (f"{number(whole.value, 'share')} of {split}" for split, whole in by_split.items())
    return (
        f"For the golden questions the pipeline has the right passages among its {run.k} hits: "
        f"{', '.join(parts)} (recall@5)."
    )


def collection_table(run: RetrievalRun) -> pd.DataFrame:
    """The table of the report as a data frame, a row per collection and search method."""
    import pandas as pd

    table = _table(run)
    frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
    return frame.set_index(["collection", "search"])


def plan_text(run: RetrievalRun) -> str:
    """The plan as deployed and both of the first collection, a line a node."""
    deployed = run.deployed
    plans = [f"as deployed, {deployed.method}: {deployed.index}\n" + plan_lines(deployed.plan)]
    for method, searched in run.collections[0].runs.items():
        plans.append(f"{method}: {searched.index}\n{searched.plan_text}")
    return "\n\n".join(plans)


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


_OF_DEPLOYED: dict[str, tuple[str, Unit, str]] = {
    "R@5": ("Recall@5", "share", "Share of the right passages among the first five hits of"),
    "nDCG@10": ("nDCG@10", "score", "How near the top the right passages stand, 1 is best; by"),
    "RR@10": ("MRR@10", "score", "One over the rank of the first right passage, on average; by"),
}
"""Headlines of the deployed search by measure: name, unit and the beginning of its meaning."""


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
    rows = [*_deployed_rows(run.deployed)]
    rows += [_row(collection, method) for collection in run.collections for method in SearchMethod]
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


def _deployed_rows(run: DeployedRun) -> Iterator[tuple[Cell, ...]]:
    for split, scores in run.scores.items():
        wholes = scores.aggregates
        yield (
            f"golden questions as deployed, {split}", run.method.value, len(scores.rows["R@5"]),
            *(wholes[name].value for name in MEASURES),
            span(wholes["nDCG@10"].low, wholes["nDCG@10"].high, "score"),
            *(None for _ in OVERLAPS), None, None, run.index,
        )  # fmt: skip


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
