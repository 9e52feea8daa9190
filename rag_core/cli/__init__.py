"""The command line, one file a group of commands."""

from __future__ import annotations

from rag_core.cli.application import AsJson
from rag_core.cli.command_line import CommandLine
from rag_core.cli.progress import NOTEBOOK_PROGRESS, entered, progress_bar

# fmt: off
__all__ = [
    "NOTEBOOK_PROGRESS", "AsJson", "CommandLine", "entered", "progress_bar",
]
