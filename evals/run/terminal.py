"""A run's results at a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from evals.results import numbers
from evals.results.notebook_run import NotebookRun
from evals.results.result import Headline
from evals.results.table import text_table


def terminal_table(runs: Sequence[NotebookRun]) -> str:
    """The headlines of every notebook, and what failed."""
    rows = [
        [run.name, *_cells(headline)]
        for run in runs
        if run.result
        for headline in run.result.headlines
    ]
    columns = (
        "notebook",
        "number",
        "value",
        "interval or band",
        "n",
        "unscored",
        "split",
        "target",
        "",
        "why unscored",
    )
    problems = [f"\n{run.name}: {run.problem}" for run in runs if run.problem]
    return "\n".join([text_table(columns, rows) if rows else "nothing was measured", *problems])


def _cells(headline: Headline) -> list[str]:
    states = {"good": "met", "watch": "unsure", "bad": "missed", "unknown": "", "plain": ""}
    return [
        headline.name,
        numbers.number(headline.value, headline.unit),
        numbers.interval(headline),
        "" if headline.simulated and not headline.n else str(headline.n),
        str(headline.unscored),
        numbers.split(headline),
        numbers.target(headline),
        "simulated" if headline.simulated else states[headline.status],
        numbers.reasons(headline.reasons),
    ]
