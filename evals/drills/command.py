"""Drills from the command line: numbers, verdicts, and on request the timelines."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from evals.drills.registry import DRILLS, chosen
from evals.drills.result import drills_result, findings, overall
from evals.drills.run import DrillRun
from evals.drills.study import study
from evals.project import GOLDEN
from evals.results.machine import machine
from evals.results.result import write_result
from evals.results.table import text_table


def listed() -> str:
    """Every drill with its story and its hypothesis, for people."""
    return "\n\n".join(
        f"{each.name}\n  {each.story}\n  supposed: {each.hypothesis}" for each in DRILLS.values()
    )


def run_drills(name: str, profile: str, seed: int, out: Path | None) -> int:
    """Hold one drill or all, print what came of it; exit code 1 where a number was not as supposed.

    Raises:
        InvalidInput: there is no such drill.
    """
    held = asyncio.run(study(GOLDEN, chosen(name), profile=profile, seed=seed))
    print(machine())
    print(text_table(("drill", "of", "number", "was", "supposed", ""), rows(held.runs)))
    print(overall(held))
    if out:
        from evals.drills.pictures import draw_timelines

        path = out / "drills.json"
        result = drills_result(held, draw_timelines(held, path))
        print(f"result and timelines: {write_result(result, path).parent}")
    return int(any(not each.met for run in held.runs for each in findings(run)))


def rows(runs: Sequence[DrillRun]) -> list[list[str]]:
    """Cells for `text_table`, a row a number."""
    return [
        [
            run.drill.name, each.limit.aspect, each.limit.name,
            each.limit.worded(each.value), each.limit.wanted, "" if each.met else "MISSED",
        ]
        for run in runs
        for each in findings(run)
    ]  # fmt: skip
