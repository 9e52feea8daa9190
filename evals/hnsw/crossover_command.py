"""The crossover as a command: a table, the setting, and where asked for, the setting in a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from statistics import median

from dotenv import set_key

from evals.datasets.golden_checks import load_checked
from evals.hnsw.crossover import Crossover, measure_crossover
from evals.hnsw.embedded import embedded_corpus
from evals.project import GOLDEN
from evals.results import numbers
from evals.results.table import text_table
from rag_core.errors import InvalidInput

SETTING = "RAG_EXACT_UP_TO"


def print_crossover(
    sizes: str,
    *,
    questions: int,
    passes: int,
    m: int,
    ef_construction: int,
    ef_search: int,
    write: Path | None,
) -> None:
    """Measure, print, and write the setting into the file `write`, whose other lines stay.

    `sizes` are numbers of chunks, commas between them.

    Raises:
        InvalidInput: sizes that do not grow, or a file that cannot be written.
    """
    if write is not None and not write.parent.is_dir():
        raise InvalidInput("--write", f"{write.parent} is no folder")
    try:
        counts = [int(size) for size in sizes.split(",")]
    except ValueError:
        raise InvalidInput("--sizes", f"must be numbers and commas, got {sizes!r}") from None
    golden = load_checked(GOLDEN)
    rows, _ = asyncio.run(embedded_corpus(golden, sum(counts), questions=questions))
    found = asyncio.run(
        measure_crossover(
            rows.vectors,
            rows.questions["dev"],
            counts,
            passes=passes,
            m=m,
            ef_construction=ef_construction,
            ef_search=ef_search,
        )
    )
    print(f"{rows.made_of(sum(counts))}, in one graph of m={m} ef_construction={ef_construction};")
    print(f"rag_core's own search, one client, in turns; the graph with ef_search={ef_search}\n")
    print(_table(found))
    print(f"\n{SETTING}={found.exact_up_to}")
    if write is not None:
        set_key(write, SETTING, str(found.exact_up_to), quote_mode="never")
        print(f"written to {write}; it acts where RAG_SEARCH_METHOD=hnsw")


def _table(found: Crossover) -> str:
    head = ("chunks of the user", "searches", "scan p50", "graph p50", "scan / graph", "recall@5")
    rows = [
        (
            numbers.count(each.chunks),
            numbers.count(len(each.scan_ms)),
            numbers.number(median(each.scan_ms), "ms"),
            numbers.number(median(each.graph_ms), "ms"),
            f"{each.times:.2f}",
            "" if each.recall is None else str(each.recall),
        )
        for each in found.compared
    ]
    return text_table(head, rows)
