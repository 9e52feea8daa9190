"""The requirement's numbers, each as it was measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from evals.hnsw.front import TARGET, fastest, of_kind
from evals.hnsw.grid import TENANTS, Kind
from evals.hnsw.limit import Limit
from evals.hnsw.run import HEADLINE_SIZE, HnswRun
from evals.measures.scores import Aggregate
from evals.results.numbers import share
from evals.results.result import Headline, Unit, headline

EQUAL_RECALL = 0.95
"""That HNSW and IVFFlat must both have to be compared: the requirement's."""


def in_words(aggregate: Aggregate) -> str:
    """A share with its interval."""
    if aggregate.value is None:
        return "not measured"
    if aggregate.low is None or aggregate.high is None:
        return share(aggregate.value)
    return f"{share(aggregate.value)} [{share(aggregate.low)}, {share(aggregate.high)}]"


def headlines(run: HnswRun) -> tuple[Headline, ...]:
    """The numbers of the requirement; targets only at the size that it names."""
    return tuple(_headlines(run))


def _headlines(run: HnswRun) -> Iterator[Headline]:
    size = run.headline_size
    graph = run.recommended(size)
    seen = run.seen_of(graph)
    yield headline(
        seen.recall,
        f"Recall@5 of the graph, {size:,} rows",
        f"Share of the five nearest that {graph.setting} finds, beside exact search.",
        target=_bar(run, TARGET),
    )
    yield _measured(
        run, f"p99 of a search by it, {size:,} rows", seen.timing.quantile_ms(0.99), "ms", None,
        n=len(seen.timing.searches),
        meaning="One client, the server warm; bare psycopg, rows without their texts.",
    )  # fmt: skip
    for each in run.grid.sizes:
        yield _against_ivfflat(run, each)
    yield _measured(
        run, f"Building its index, {size:,} rows", graph.built.seconds, "s", 10.0, n=1,
        meaning="With two workers beside the backend and 1 GB of memory for it.",
    )  # fmt: skip
    yield from _small_tenants(run)
    yield from _overheads(run)
    yield _against_hnswlib(run)


def _bar(run: HnswRun, target: float) -> float | None:
    return target if run.headline_size == HEADLINE_SIZE else None


def _measured(
    run: HnswRun,
    name: str,
    value: float | None,
    unit: Unit,
    target: float | None,
    *,
    n: int,
    meaning: str,
    better: Literal["higher", "lower"] = "lower",
) -> Headline:
    why = {} if value is not None else {f"{n} values are too few": 1}
    return Headline(
        name=name, meaning=meaning, value=value, n=n if value is not None else 0,
        unscored=len(why), reasons=why, unit=unit, better=better,
        target=None if target is None else _bar(run, target),
    )  # fmt: skip


def _against_ivfflat(run: HnswRun, size: int) -> Headline:
    """Queries a second of the two, each by its fastest setting that reaches the target on dev."""
    tried = run.of_size(size)
    pair = [run.seen_of(fastest(of_kind(tried, kind))) for kind in (Kind.HNSW, Kind.IVFFLAT)]
    enough = all((each.recall.value or 0.0) >= EQUAL_RECALL for each in pair)
    graph, lists = (each.timing.qps for each in pair)
    reached = " and ".join(f"{each.setting} (recall {in_words(each.recall)})" for each in pair)
    return Headline(
        name=f"Queries a second, HNSW over IVFFlat, {size:,} rows",
        meaning=f"One client, in turns: {reached}.",
        value=graph / lists if enough else None,
        n=len(pair[0].timing.searches) if enough else 0,
        unscored=0 if enough else 1,
        reasons={} if enough else {f"one is below recall@5 of {EQUAL_RECALL}": 1},
        unit="×",
        target=2.0 if size >= HEADLINE_SIZE else None,
    )


def _small_tenants(run: HnswRun) -> Iterator[Headline]:
    graph = run.recommended(run.headline_size)
    small = [run.seen_of(graph, tenant) for tenant in TENANTS if tenant != "10 %"]
    for each in small:
        yield headline(
            each.recall,
            f"Recall@5 of the graph, tenant of {each.tenant}",
            f"{each.rows} rows among {run.headline_size:,} of another tenant.",
            target=_bar(run, 0.98),
        )
    asked = sum(len(each.timing.searches) for each in small)
    yield _measured(
        run, "Searches for them with too few rows", float(sum(each.short for each in small)),
        "count", 0.0, n=asked, meaning="Fewer than asked for, while the tenant has more.",
    )  # fmt: skip


def _overheads(run: HnswRun) -> Iterator[Headline]:
    ours, same = run.overhead.ours, run.overhead.same
    yield headline(
        run.overhead.recall,
        f"Recall@5 of rag_core's search by the graph, {run.overhead.size:,} rows",
        f"The retriever that is deployed, told to search by {run.overhead.setting}.",
        target=_bar(run, TARGET),
    )
    yield _measured(
        run, f"p99 of rag_core's search, {run.overhead.size:,} rows", ours.p(0.99), "ms", 1.88,
        n=len(ours.ms), meaning="One client, the server warm; hits with their texts.",
    )  # fmt: skip
    for name, at, target in (("p50", 0.5, 1.10), ("p99", 0.99, 1.25)):
        yield _measured(
            run, f"rag_core's search over bare psycopg, {name}", _ratio(ours.p(at), same.p(at)),
            "×", target, n=len(ours.ms),
            meaning="In turns, by the same index; both fetch the same texts of the hits.",
        )  # fmt: skip
    yield _measured(
        run, "CPU that rag_core's search adds", ours.mean_cpu_us - same.mean_cpu_us, "µs", 100.0,
        n=len(ours.ms), meaning="Of this process, a search, over bare psycopg's.",
    )  # fmt: skip


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other is not None else None


def _against_hnswlib(run: HnswRun) -> Headline:
    limit = run.limit
    name, meaning = "rag_core's search over hnswlib's, p50", "hnswlib: one process, no database."
    if not isinstance(limit, Limit):
        return Headline(
            name=name, meaning=meaning, value=None, n=0, unscored=1, unit="×",
            reasons={limit.reason: 1}, better="lower", target=_bar(run, 8.0),
        )  # fmt: skip
    value = _ratio(run.overhead.ours.p(0.5), limit.quantile_ms(0.5))
    return _measured(run, name, value, "×", 8.0, n=len(limit.ms), meaning=meaning)
