"""The command line, one file a group of commands."""

from __future__ import annotations

from rag_core.cli.progress import Lines, entered, progress_bar

__all__ = [
    "Lines",
    "entered",
    "progress_bar",
]
