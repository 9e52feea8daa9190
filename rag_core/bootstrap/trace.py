"""Wiring of the trace, where the settings ask for one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.adapters.telemetry import NoTrace, Trace, open_trace_file
from rag_core.clock import Clock
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.note_store import Conflict, EmbeddedNote
from rag_core.domain.user import UserId
from rag_core.settings import Settings, secret


@asynccontextmanager
async def open_trace(settings: Settings, clock: Clock) -> AsyncIterator[Trace]:
    """The trace that `settings` ask for, or one that keeps nothing.

    Raises:
        ConfigurationError: its file cannot be written.
    """
    path, key = settings.trace_file, secret(settings.trace_key)
    if path is None or key is None:  # the settings hold that there is none without the other
        yield NoTrace()
        return
    async with open_trace_file(path, key.encode(), clock) as trace:
        yield trace


class TracedNotes(PostgresNotes):
    """Notes whose changes are taken down, whoever makes them in this process."""

    def __init__(self, database: Database, trace: Trace) -> None:
        super().__init__(database)
        self._trace = trace

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> list[Conflict]:
        """See `NoteStore`."""
        conflicts = await super().replace(user, notes, chunking=chunking, embedder=embedder)
        left = {conflict.note_id for conflict in conflicts}
        for each in notes:
            if each.note.id not in left:
                self._trace.edited(user, each.note.id)
        return conflicts

    async def delete(self, user: UserId, note_id: str, condition: Condition = ALWAYS) -> bool:
        """See `NoteStore`."""
        gone = await super().delete(user, note_id, condition)
        if gone:
            self._trace.edited(user, note_id)
        return gone
