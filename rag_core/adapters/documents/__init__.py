"""Notes, and other typed rows, from files."""

from __future__ import annotations

from rag_core.adapters.documents.conversion import Conversion
from rag_core.adapters.documents.files import STANDARD_INPUT, File, Page, found_at
from rag_core.adapters.documents.jsonl import RowReader
from rag_core.adapters.documents.note_file import note_problems, read_notes
from rag_core.adapters.documents.web import Address, Web, is_public, look_up

__all__ = [
    "STANDARD_INPUT",
    "Address",
    "Conversion",
    "File",
    "Page",
    "RowReader",
    "Web",
    "found_at",
    "is_public",
    "look_up",
    "note_problems",
    "read_notes",
]
