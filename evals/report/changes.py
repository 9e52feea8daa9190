"""What changed since the last run of the same golden data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evals.comparison.compare import compare
from evals.comparison.runs import previous_run, read_run
from evals.comparison.section import section
from evals.results.result import NotebookResult
from rag_core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Changes:
    """A line that says against which run was compared, or why none was; the section, if one was."""

    line: str
    result: NotebookResult | None = None


def changes_since_last(folder: Path) -> Changes:
    """The run in `folder`, with its summary.json, compared with the last one beside it."""
    try:
        before = previous_run(folder.parent, folder)
        if before is None:
            return Changes("No earlier run of the same golden data lies beside this one.")
        found = section(compare(read_run(before), read_run(folder)))
    except InvalidInput as error:
        return Changes(f"Not compared with an earlier run: {error}")
    return Changes(f"Question by question, against {before.name}.", found)
