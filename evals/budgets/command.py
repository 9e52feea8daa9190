"""`python -m evals sweep`: the study of budgets at a terminal."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from evals.budgets.env_file import write_env
from evals.budgets.pictures import draw_curves, draw_front, draw_tokens
from evals.budgets.result import as_json, budgets_result, front_table
from evals.budgets.study import Asked, BudgetStudy, study
from evals.results.numbers import cell, duration
from evals.results.result import write_result
from evals.results.table import text_table

RESULT = "05_budgets.json"


def run_sweep(asked: Asked, *, as_text: bool, out: Path | None) -> str:
    """What to print: the front and the sentence, or all of it as JSON; files go to `out`.

    Raises what `study` raises.
    """
    done = asyncio.run(study(asked))
    if out is not None:
        _write(done, out / RESULT)
    if not as_text:
        return json.dumps(as_json(done), indent=2, ensure_ascii=False)
    return _as_text(done, out)


def _as_text(done: BudgetStudy, out: Path | None) -> str:
    table = front_table(done)
    result = budgets_result(done, [])
    lines = [
        text_table(table.columns, [[cell(each) for each in row] for row in table.rows]),
        "",
        result.verdict,
        f"{len(done.dev.settings)} settings on {len(done.dev.questions)} dev questions in "
        f"{duration(done.seconds)}; {done.embedded:,} texts embedded in "
        f"{duration(done.embedding_seconds)} before.",
    ]
    if out is not None:
        lines.append(f"wrote {out / RESULT}, its pictures and budgets.env")
    return "\n".join(lines)


def _write(done: BudgetStudy, path: Path) -> None:
    pictures = [draw(done, path) for draw in (draw_front, draw_tokens, draw_curves)]
    write_result(budgets_result(done, pictures), path)
    write_env(done, done.recommended, path)
