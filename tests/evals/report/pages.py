"""Small results, and the page that is made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evals.report.changes import Changes
from evals.report.page import write_report
from evals.results.machine import machine
from evals.results.notebook_run import NotebookRun
from evals.results.result import Headline, NotebookResult
from evals.run.manifest import Manifest, Revision

NASTY = '<script>alert(1)</script> & "quotes"'
PNG = b"\x89PNG\r\n"
NOTHING_BEFORE = Changes("No earlier run.")


def manifest() -> dict[str, Any]:
    return Manifest(
        code="this checkout",
        revision=Revision("a" * 40, True),
        profile="smoke",
        seed=0,
        started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:05:05+00:00",
        seconds=60.0,
        machine=machine(),
        dataset={"golden": "d1g357"},
        models={"generator": "extractive"},
        cache={"notes": "cold"},
        settings={"top_k": 5},
        packages={"numpy": "2"},
    ).as_dict()


def headline(value: float | None, **changes: Any) -> Headline:
    parts: dict[str, Any] = {
        "name": "Groundedness",
        "meaning": "Share of sentences supported.",
        "n": 41,
        "group": "answers",
    }
    return Headline(value=value, unit="share", key=True, **(parts | changes))


def run(tmp_path: Path, result: NotebookResult | None, **changes: Any) -> NotebookRun:
    return NotebookRun("01_quality", tmp_path / "01_quality.ipynb", 1.0, result, **changes)


def page(tmp_path: Path, *runs: NotebookRun, changes: Changes = NOTHING_BEFORE) -> str:
    return write_report(runs, manifest(), tmp_path, commit="aaaaaaaa", changes=changes).read_text()


def result(**parts: Any) -> NotebookResult:
    usual: dict[str, Any] = {"title": "Answers", "verdict": "All is well.", "n": 60}
    return NotebookResult(**(usual | parts))
