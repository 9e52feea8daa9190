"""Notes from files."""

from __future__ import annotations

from rag_core.adapters.documents.note_file import parse_note, read_notes

__all__ = [
    "parse_note",
    "read_notes",
]
