"""What search in each mode comes to: headlines, a table, a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evals.results.numbers import number, span
from evals.results.result import Cell, Headline, Table
from evals.retrieval.modes import ModesRun
from evals.stats.paired import PairedDifference
from rag_core.domain import SearchMode

if TYPE_CHECKING:
    import pandas as pd

GAIN = 0.05
"""Recall@5 that hybrid search is to add on golden questions of split test: the requirement's."""
_LEAST_P = 0.001
"""What is less is said to be less."""


def mode_headlines(runs: Sequence[ModesRun]) -> list[Headline]:
    """What hybrid search adds to dense, for each set of queries; of golden ones, recall@5."""
    made = []
    for run in runs:
        golden = run.clusters is not None
        measure, target = ("R@5", GAIN) if golden else ("nDCG@10", 0.0)
        if run.name.endswith("dev"):
            continue  # what was tuned on is not what is reported
        found = run.differences[SearchMode.HYBRID, measure]
        made.append(
            Headline(
                name=f"{measure.replace('R@5', 'recall@5')} that hybrid search adds, {run.name}",
                meaning="Hybrid minus dense search through the pipeline, the same queries; "
                + _p(found),
                value=found.mean,
                low=found.low,
                high=found.high,
                n=found.n,
                unscored=found.unscored,
                unit="score",
                better="higher",
                target=target,
                reasons=found.reasons,
                measure=measure,
            )
        )
    return made


def mode_table(runs: Sequence[ModesRun]) -> Table:
    """A row for each set of queries and mode."""
    columns = (
        "queries of", "mode", "n", "nDCG@10", "recall@5", "MRR@10",
        "nDCG@10 − dense", "nDCG 95 %", "nDCG p",
        "recall@5 − dense", "recall 95 %", "recall p", "p50 ms",
    )  # fmt: skip
    return Table(
        "By mode",
        columns,
        tuple(_row(run, mode) for run in runs for mode in SearchMode),
        "Through the pipeline: boilerplate, verses, tags and times of a question are recognised as "
        "when it is deployed; scans, no threshold. p is of a randomisation test over the queries, "
        "or where notes hang together, over their groups. p50 is the way from a question to its "
        "context, the modes in turns, vectors of questions ready.",
    )


def mode_frame(runs: Sequence[ModesRun]) -> pd.DataFrame:
    """The table of the report as a data frame, a row per set of queries and mode."""
    import pandas as pd

    table = mode_table(runs)
    frame = pd.DataFrame(list(table.rows), columns=list(table.columns))
    return frame.set_index(["queries of", "mode"])


def _row(run: ModesRun, mode: SearchMode) -> tuple[Cell, ...]:
    wholes = run.scores[mode].aggregates
    differences: list[Cell] = [None] * 6
    if mode is not SearchMode.DENSE:
        pair = (run.differences[mode, measure] for measure in ("nDCG@10", "R@5"))
        differences = [cell for found in pair for cell in _difference(found)]
    return (
        run.name,
        mode.value,
        run.queries,
        *(wholes[measure].value for measure in ("nDCG@10", "R@5", "RR@10")),
        *differences,
        run.p50_ms(mode),
    )


def _difference(found: PairedDifference) -> tuple[Cell, Cell, Cell]:
    return found.mean, span(found.low, found.high, "score"), found.p


def mode_verdict(runs: Sequence[ModesRun]) -> str:
    """What hybrid search adds to dense, in a sentence for each set of queries."""
    said = []
    for run in runs:
        found = run.differences[SearchMode.HYBRID, "nDCG@10"]
        if found.mean is not None:
            said.append(
                f"On {run.name}, hybrid search is {found.mean:+.3f} nDCG@10 from dense "
                f"({_p(found)}: {found.verdict})."
            )
    return " ".join(said)


def _p(found: PairedDifference) -> str:
    if found.p is None:
        return "not tested"
    return f"p {number(found.p, 'score')}" if found.p >= _LEAST_P else f"p < {_LEAST_P}"
