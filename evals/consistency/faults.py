"""Rules of freshness broken on purpose, to see that the trial would notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from evals.consistency.world import Pauses
from rag_core.adapters.postgres import PostgresNotes
from rag_core.cache import Caches, Epoch, EpochSource, Lookup, ReadEpochs
from rag_core.domain import Answer, Conflict, Context, EmbeddedNote, StoredNotes, UserId
from rag_core.pipeline import Pipeline
from rag_core.request import Request


class Fault(StrEnum):
    """What is broken."""

    NONE = "nothing"
    TRIGGER = "trigger"
    """Plain SQL changes notes and leaves the epoch as it is."""
    LATE_EPOCH = "late epoch"
    """The epoch is read after the evidence was retrieved."""
    OLDER_READ = "older read"
    """A request joins a shared read that is under way already."""
    LATER_EPOCH_STORED = "later epoch stored"
    """An answer is stored with the epoch of that moment."""
    COMPARE_AND_SET = "compare-and-set"
    """Ingest writes over whatever is there."""
    BELIEVED_TOO_LONG = "believed too long"
    """A worker believes its copy of an epoch for twice as long as its answers may be late."""


class LateEpochs(Pipeline):
    """A pipeline that learns the epoch only once it has the context."""

    def __init__(self, epochs: EpochSource, **parts: Any) -> None:
        super().__init__(**parts)
        self._epochs = epochs

    async def _find(self, request: Request) -> Context:
        context = await super()._find(request)
        epoch = await self._epochs.epoch(request.user)
        request.lookup = replace(request.lookup, epoch=epoch)
        return context


class LaterEpochs(Caches):
    """Caches that store an answer under the epoch of the moment in which it is stored."""

    def __init__(self, epochs: EpochSource, **parts: Any) -> None:
        super().__init__(epochs=epochs, **parts)
        self._later = epochs
        self._users: dict[str, UserId] = {}

    async def lookup(self, user: UserId, key: str) -> Lookup:
        """See `Caches`."""
        self._users[key] = user
        return await super().lookup(user, key)

    async def put(self, lookup: Lookup, answer: Answer, took_ms: float) -> None:
        """See `Caches`."""
        epoch = await self._later.epoch(self._users[lookup.key])
        await super().put(replace(lookup, epoch=epoch), answer, took_ms)


class OlderReads:
    """An EpochSource whose callers join whatever read is under way."""

    def __init__(self, read: ReadEpochs) -> None:
        self._read = read
        self._under_way: dict[UserId, asyncio.Future[Epoch | None]] = {}

    def epoch(self, user: UserId) -> asyncio.Future[Epoch | None]:
        """See `EpochSource`."""
        reading = self._under_way.get(user)
        if reading is None:
            reading = self._under_way[user] = asyncio.ensure_future(self._one(user))
            reading.add_done_callback(lambda _: self._under_way.pop(user))
        return asyncio.shield(reading)

    async def _one(self, user: UserId) -> Epoch | None:
        return (await self._read([user])).get(user)


class TrialNotes(PostgresNotes):
    """Notes whose ingest pauses after it has seen what is stored, and perhaps forgets it.

    Args:
        seen: told what an ingest saw, as soon as it has.
        compares: False breaks compare-and-set.
    """

    def __init__(
        self,
        database: Any,
        pauses: Pauses,
        *,
        seen: Callable[[StoredNotes], None] = lambda library: None,
        compares: bool = True,
    ) -> None:
        super().__init__(database)
        self._pauses = pauses
        self._seen = seen
        self._compares = compares

    async def stored_notes(
        self, user: UserId, note_ids: Sequence[str] | None = None
    ) -> StoredNotes:
        """See `NoteStore`."""
        library = await super().stored_notes(user, note_ids)
        self._seen(library)
        await self._pauses()
        return library

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> list[Conflict]:
        """See `NoteStore`."""
        conflicts = await super().replace(user, notes, chunking=chunking, embedder=embedder)
        while conflicts and not self._compares:
            stored = {conflict.note_id: conflict.stored for conflict in conflicts}
            notes = [
                replace(item, replaces=stored[item.note.id])
                for item in notes
                if item.note.id in stored
            ]
            conflicts = await super().replace(user, notes, chunking=chunking, embedder=embedder)
        return conflicts
