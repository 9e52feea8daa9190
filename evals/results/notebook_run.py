"""What became of a notebook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evals.results.result import NotebookResult


@dataclass(frozen=True)
class NotebookRun:
    """What became of a notebook: its result, or why there is none and the exit code that is due."""

    name: str
    executed: Path
    seconds: float
    result: NotebookResult | None = None
    problem: str = ""
    exit_code: int = 0
