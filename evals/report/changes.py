"""What changed since the last run of the same golden data."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from evals.results.result import NotebookResult
from rag_core.errors import InvalidInput

MANIFEST = "manifest.json"

Compare = Callable[[Path, Path], NotebookResult]
"""The folders of a run before and a run after -> what changed, as a section of the report.

Raises InvalidInput where the two cannot be compared.
"""


@dataclass(frozen=True, slots=True)
class Changes:
    """A line that says against which run was compared, or why none was; the section, if one was."""

    line: str
    result: NotebookResult | None = None


def changes_since_last(folder: Path, golden: str, compare: Compare | None) -> Changes:
    """The run in `folder`, of the golden data with this digest, compared with the last one."""
    before = last_run(folder, golden)
    if before is None:
        return Changes("No earlier run of the same golden data lies beside this one.")
    if compare is None:
        return Changes(f"Nothing was compared with the last run of the same data, {before.name}.")
    try:
        return Changes(f"Against {before.name}.", compare(before, folder))
    except InvalidInput as error:
        return Changes(f"Not compared with {before.name}: {error}")


def last_run(folder: Path, golden: str) -> Path | None:
    """The newest run beside `folder` and older than it whose golden data has this digest."""
    beside = sorted(folder.parent.glob(f"*/{MANIFEST}"), reverse=True)
    older = (path.parent for path in beside if path.parent.name < folder.name)
    return next((each for each in older if _golden(each) == golden), None)


def _golden(folder: Path) -> str | None:
    try:
        digest = json.loads((folder / MANIFEST).read_bytes())["dataset"]["golden"]
    except (OSError, ValueError, KeyError, TypeError):
        return None  # cut short, or of another version
    return digest if isinstance(digest, str) else None
