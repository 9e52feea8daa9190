"""A notebook that was run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evals.results.result import NotebookResult


@dataclass(frozen=True)
class NotebookRun:
    """A notebook that was run: its result, or why there is none.

    `exit_code` is the exit code that is due for it. `kept_from` names the earlier run that it was
    taken from unchanged, if it was.
    """

    name: str
    executed: Path
    seconds: float
    result: NotebookResult | None = None
    problem: str = ""
    exit_code: int = 0
    kept_from: str = ""
