"""Imports of notes in this process: the fake of the table in Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from rag_core.clock import Clock
from rag_core.domain.imports import LOST_AFTER_S, ImportState, NoteImport
from rag_core.domain.user import UserId

_DAY_S = 86_400
"""Seconds for which an import is remembered."""


@dataclass(frozen=True, slots=True)
class _Kept:
    record: NoteImport
    began_at: float
    beat_at: float


class MemoryImports:
    """ImportRecords in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[tuple[UserId, str], _Kept] = {}

    async def begin(self, user: UserId, record: NoteImport) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await asyncio.sleep(0)
        now = self._clock.now()
        old = [key for key, kept in self._kept.items() if kept.began_at < now - _DAY_S]
        for key in old:
            if key[0] == user:
                del self._kept[key]
        self._kept[user, record.id] = _Kept(record, now, now)

    async def beat(self, user: UserId, import_id: str) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await asyncio.sleep(0)
        if kept := self._kept.get((user, import_id)):
            self._kept[user, import_id] = replace(kept, beat_at=self._clock.now())

    async def end(
        self,
        user: UserId,
        import_id: str,
        state: ImportState,
        *,
        error: str = "",
        problem: str = "",
    ) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await self.beat(user, import_id)
        if kept := self._kept.get((user, import_id)):
            record = replace(kept.record, state=state, error=error, problem=problem)
            self._kept[user, import_id] = replace(kept, record=record)

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await asyncio.sleep(0)
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] != user}

    async def read(self, user: UserId, import_id: str) -> NoteImport | None:
        """See `rag_core.domain.imports.ImportRecords`."""
        await asyncio.sleep(0)
        kept = self._kept.get((user, import_id))
        if kept is None:
            return None
        silent = kept.beat_at < self._clock.now() - LOST_AFTER_S
        lost = silent and kept.record.state == "running"
        return replace(kept.record, state="lost") if lost else kept.record
