"""Stores in this process: the fakes of the real ones, for speed and faults."""

from __future__ import annotations

from rag_core.adapters.memory.notes import MemoryNotes

__all__ = [
    "MemoryNotes",
]
