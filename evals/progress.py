"""Progress of long work in the evals, as the core shows its own."""

from __future__ import annotations

from contextlib import AbstractContextManager

from rag_core.cli.progress import Progress, progress


def progress_bar(total: int, label: str, unit: str) -> AbstractContextManager[Progress]:
    """A bar on a terminal, now and then a line in a pipe or a file, nothing in a notebook."""
    return progress(total, label, unit)
