"""Stores in this process: the fakes of the real ones, for speed and faults."""

from __future__ import annotations

from rag_core.adapters.memory.ledger import MemoryCostBook, MemoryLedgerStore
from rag_core.adapters.memory.alert_log import MemoryAlertLog
from rag_core.adapters.memory.feedback import MemoryFeedback
from rag_core.adapters.memory.documents import MemoryDocuments
from rag_core.adapters.memory.imports import MemoryImports
from rag_core.adapters.memory.notes import MemoryNotes
from rag_core.adapters.memory.sessions import MemorySessions
from rag_core.adapters.memory.spend_source import MemorySpendSource

__all__ = [
    "MemoryAlertLog",
    "MemoryCostBook",
    "MemoryDocuments",
    "MemoryFeedback",
    "MemoryImports",
    "MemoryLedgerStore",
    "MemoryNotes",
    "MemorySessions",
    "MemorySpendSource",
]
