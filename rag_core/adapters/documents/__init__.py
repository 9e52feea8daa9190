"""Notes, and other typed rows, from files; from the web by `web`, imported where it is wanted."""

from __future__ import annotations

from rag_core.adapters.documents.conversion import Conversion
from rag_core.adapters.documents.files import STANDARD_INPUT, File, Page, found_at
from rag_core.adapters.documents.jsonl import RowReader
from rag_core.adapters.documents.note_file import note_problems, read_notes

__all__ = [
    "STANDARD_INPUT",
    "Conversion",
    "File",
    "Page",
    "RowReader",
    "found_at",
    "note_problems",
    "read_notes",
]
