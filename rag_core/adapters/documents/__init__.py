"""Notes, and other typed rows, from files."""

from __future__ import annotations

from rag_core.adapters.documents.jsonl import RowReader
from rag_core.adapters.documents.note_file import note_problems, read_notes

__all__ = [
    "RowReader",
    "note_problems",
    "read_notes",
]
