"""`python -m evals compare`: two runs at a terminal."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import msgspec

from evals.comparison.compare import compare
from evals.comparison.runs import read_run
from evals.comparison.section import section
from evals.results.numbers import cell
from evals.results.result import Case
from evals.results.table import text_table

_WIDTH = 96


def run_compare(before: Path, after: Path, *, as_text: bool, seed: int = 0) -> str:
    """What to print of two runs, as text or as JSON.

    Raises:
        InvalidInput: one of them is no run, or they asked different golden data.
    """
    found = section(compare(read_run(before), read_run(after), seed=seed))
    if not as_text:
        return json.dumps(msgspec.to_builtins(found), indent=2, ensure_ascii=False)
    (table,) = found.tables
    rows = [[cell(each) for each in row] for row in table.rows]
    cases = [_as_text(case) for case in found.cases]
    made_with = [f"  {name}: {told}" for name, told in found.facts.items() if " → " in told]
    differing = ["What the runs were made with:", *made_with, ""] if made_with else []
    return "\n".join([text_table(table.columns, rows), "", *cases, *differing, found.verdict])


def _as_text(case: Case) -> str:
    scores = "; ".join(f"{name} {value}" for name, value in case.scores)
    said = [
        textwrap.fill(
            f"{name}: {block.text}", _WIDTH, initial_indent="  ", subsequent_indent="    "
        )
        for name, blocks in case.columns
        for block in blocks
    ]
    return "\n".join([f"{case.title}: {case.summary}", f"  {scores}", *said, ""])
