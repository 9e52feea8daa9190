"""What the study comes to: a recommendation with its price, headlines beside references, tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from evals.hnsw.deployed import Way
from evals.hnsw.front import TARGET, Tried, chosen, dominated, fastest
from evals.hnsw.grid import LARGEST, Kind
from evals.hnsw.headlines import headlines, in_words
from evals.hnsw.limit import Limit
from evals.hnsw.run import HnswRun
from evals.hnsw.timing import Timing
from evals.measures.scores import Aggregate
from evals.results.numbers import count, megabytes, number, share
from evals.results.result import Cell, NotebookResult, Picture, Table


def hnsw_result(run: HnswRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures and tables, for the report."""
    return NotebookResult(
        title="Search: HNSW, IVFFlat, exact",
        verdict=verdict(run),
        n=sum(len(each.timing.searches) for each in run.seen),
        headlines=headlines(run),
        pictures=tuple(pictures),
        tables=(
            recommendations_table(run),
            load_table(run),
            tenants_table(run),
            cold_table(run),
            churn_table(run),
            overhead_table(run),
            grid_table(run),
        ),
        facts={
            "golden data digest": run.golden_digest,
            "embedder digest": run.embedder_digest,
            **{f"rows at {size:,}": words for size, words in run.rows.items()},
        },
    )


def verdict(run: HnswRun) -> str:
    """Which search to take for the target, and what it costs, by size."""
    sizes = "; ".join(_recommended(run, size) for size in run.grid.sizes)
    with_graph, without = (
        number(each, "ms") for each in (run.churned.write_ms, run.churned.bare_write_ms)
    )
    said = [
        f"For recall@5 of at least {share(TARGET)}: {sizes}.",
        f"A changed row costs {with_graph} with a graph, {without} without.",
    ]
    if not run.apart:
        said.append("Chosen and reported on the same questions: the folder has only one split.")
    return " ".join(said)


def _recommended(run: HnswRun, size: int) -> str:
    best = fastest(run.of_size(size))
    seen = run.seen_of(best)
    built = best.built
    price = f"{megabytes(built.table_bytes)} of table"
    if best.setting.kind is not Kind.EXACT:
        price = f"{number(built.seconds, 's')} to build, {megabytes(built.index_bytes)} beside it"
    met = "" if (seen.recall.value or 0) >= TARGET else ", NOT confirmed"
    return (
        f"at {size:,} rows {best.setting} ({number(best.p50_ms, 'ms')} at the median; test"
        f" {in_words(seen.recall)}{met}; {price})"
    )


def recommendations_table(run: HnswRun) -> Table:
    """The setting of each family that was chosen, its recall and its price."""
    rows = [
        _price(run, each, standing)
        for size in run.grid.sizes
        for each, standing in _standings(run, size)
    ]
    columns = (
        "rows", "setting", "", "recall@5 on dev", "on test", "interval", "p50 ms", "p99 ms",
        "build s", "index MB", "table MB",
    )  # fmt: skip
    caption = (
        f"Chosen on dev: of each family the fastest with recall@5 of at least {TARGET}, or else"
        " the best. Times are of test questions, one client, warm."
    )
    return Table("What was chosen, and its price", columns, tuple(rows), caption)


def _standings(run: HnswRun, size: int) -> Iterator[tuple[Tried, str]]:
    best = fastest(run.of_size(size))
    for each in chosen(run.of_size(size)).values():
        missed = "" if each.share >= TARGET else "below the target"
        yield each, "recommended" if each is best else missed


def _price(run: HnswRun, each: Tried, standing: str) -> tuple[Cell, ...]:
    seen, built = run.seen_of(each), each.built
    return (
        each.size, str(each.setting), standing, each.share, seen.recall.value, _span(seen.recall),
        seen.timing.quantile_ms(0.5), seen.timing.quantile_ms(0.99), built.seconds,
        built.index_bytes / 1e6, built.table_bytes / 1e6,
    )  # fmt: skip


def _span(recall: Aggregate) -> str:
    if recall.low is None or recall.high is None:
        return recall.method
    return f"{recall.low:.3f} to {recall.high:.3f}"


def _times(timing: Timing) -> tuple[Cell, ...]:
    return (
        *(timing.quantile_ms(at) for at in (0.5, 0.95, 0.99)),
        timing.qps,
        timing.client_cpu_us,
        timing.server_cpu_us,
    )


_TIMES = ("p50 ms", "p95 ms", "p99 ms", "queries/s", "client µs", "server µs")


def load_table(run: HnswRun) -> Table:
    """What was chosen, by so many clients at once: recall under load, too."""
    rows = [
        (each.size, str(each.setting), each.clients, each.recall.value, *_times(each.timing),
         each.timing.server_bytes / 1e6)
        for each in run.seen
        if each.tenant == LARGEST
    ]  # fmt: skip
    columns = ("rows", "setting", "clients", "recall@5", *_TIMES, "backend MB")
    caption = (
        "µs are CPU a query, of this process and of the server's; MB are a server process's own."
        " Clients share one process and its core. No p95 of fewer than 100 values, no p99 of fewer"
        " than 500."
    )
    return Table("Under load", columns, tuple(rows), caption)


def tenants_table(run: HnswRun) -> Table:
    """What was chosen, for each tenant's rows among those of the others."""
    rows = [
        (each.size, each.tenant, each.rows, str(each.setting), each.recall.value, each.short,
         *_times(each.timing))
        for each in run.seen
        if each.clients == 1
    ]  # fmt: skip
    columns = ("rows", "tenant", "its rows", "setting", "recall@5", "short", *_TIMES)
    caption = "Shares are of the largest tenant's rows; short are searches that found too few."
    return Table("By tenant", columns, tuple(rows), caption)


def cold_table(run: HnswRun) -> Table:
    """What was chosen, right after a start of the server."""
    rows = [
        (each.size, str(each.setting), each.first_ms, each.timing.quantile_ms(0.5),
         _warm_ms(run, each.size, str(each.setting)))
        for each in run.cold
    ]  # fmt: skip
    columns = ("rows", "setting", "first search ms", "p50 ms of the first pass", "p50 ms warm")
    caption = (
        "Cold: the server was shut down and started, its buffers are empty and nothing is prepared;"
        " the system may still have the files in memory."
    )
    return Table("Warm and cold", columns, tuple(rows), caption)


def _warm_ms(run: HnswRun, size: int, setting: str) -> float | None:
    return next(
        each.timing.quantile_ms(0.5)
        for each in run.seen
        if (each.size, str(each.setting), each.tenant, each.clients) == (size, setting, LARGEST, 1)
    )


def churn_table(run: HnswRun) -> Table:
    """The graph while its rows change."""
    rows = [
        (each.name, each.seconds, each.recall.value, _span(each.recall), each.short,
         *_times(each.timing)[:3], each.index_bytes / 1e6)
        for each in run.churned.stages
    ]  # fmt: skip
    columns = ("", "took s", "recall@5", "interval", "short", *_TIMES[:3], "index MB")
    churned = run.churned
    caption = (
        f"{churned.setting}, {count(churned.size)} rows of the largest tenant; a changed row took"
        f" {churned.write_ms:.2f} ms with the graph and {churned.bare_write_ms:.2f} ms without."
    )
    return Table("Churn", columns, tuple(rows), caption)


def overhead_table(run: HnswRun) -> Table:
    """rag_core's own search between bare psycopg and hnswlib."""
    overhead = run.overhead
    rows: list[tuple[Cell, ...]] = [
        (*_way(overhead.ours), overhead.recall.value),
        (*_way(overhead.same), None),
        (*_way(overhead.keys), None),
    ]
    limit = run.limit
    if isinstance(limit, Limit):
        times = [limit.quantile_ms(at) for at in (0.5, 0.95, 0.99)]
        rows.append(("hnswlib, in process", *times, None, limit.recall.value))
    else:
        rows.append((f"hnswlib: not measured, {limit.reason}", None, None, None, None, None))
    columns = ("search", "p50 ms", "p95 ms", "p99 ms", "client µs", "recall@5")
    caption = (
        f"{overhead.setting}, {count(overhead.size)} rows of one user in chunk_vectors; rag_core as"
        f" it is put together anywhere, by {overhead.index}; one client, in turns."
    )
    return Table("Our own search between its limits", columns, tuple(rows), caption)


def _way(way: Way) -> tuple[Cell, ...]:
    times = [way.p(at) for at in (0.5, 0.95, 0.99)]
    return way.name, *times, way.mean_cpu_us


def grid_table(run: HnswRun) -> Table:
    """Everything that was tried, on dev."""
    rows = [row for size in run.grid.sizes for row in _grid_rows(run, size)]
    columns = (
        "rows", "setting", "", "recall@5", *_TIMES, "queries/s under load", "build s", "index MB",
    )  # fmt: skip
    caption = f"Questions of split dev; under load: {max(run.grid.clients)} clients."
    return Table("Everything tried", columns, tuple(rows), caption)


def _grid_rows(run: HnswRun, size: int) -> Iterator[tuple[Cell, ...]]:
    tried = run.of_size(size)
    beaten = dominated(tried, lambda each: each.p50_ms)
    for each in tried:
        standing = "dominated" if each.setting in beaten else "on the front"
        yield (
            size, str(each.setting), standing, each.share, *_times(each.quiet), each.busy.qps,
            each.built.seconds, each.built.index_bytes / 1e6,
        )  # fmt: skip


def frame(table: Table) -> pd.DataFrame:
    """A table for a notebook, with the columns that it names."""
    return pd.DataFrame(list(table.rows), columns=list(table.columns))
