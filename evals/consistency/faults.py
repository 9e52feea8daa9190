"""Rules of freshness broken on purpose, to see that the trial would notice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from evals.consistency.world import Pauses
from rag_core.adapters.postgres import PostgresNotes
from rag_core.cache import AnswerCache, CachedAnswer, Epoch, EpochSource, ReadEpochs
from rag_core.domain import Conflict, EmbeddedNote, Query, Ranking, Retriever, StoredNotes, UserId

if TYPE_CHECKING:
    pass


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


_LATE: ContextVar[Epoch | None] = ContextVar("late epoch", default=None)


class LateEpochRetriever:
    """A Retriever that reads the user's epoch once it has searched; `LateEpochAnswers` uses it."""

    def __init__(self, retriever: Retriever, epochs: EpochSource) -> None:
        self._retriever = retriever
        self._epochs = epochs

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `Retriever`."""
        ranking = await self._retriever.search(user, query, k=k)
        _LATE.set(await self._epochs.epoch(user))
        return ranking


class LateEpochAnswers:
    """An AnswerCache that stores under an epoch read after the evidence was retrieved."""

    def __init__(self, answers: AnswerCache) -> None:
        self._answers = answers
        self.get, self.forget, self.size = answers.get, answers.forget, answers.size

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""
        await self._answers.put(key, replace(cached, epoch=_LATE.get() or cached.epoch))


class LaterEpochAnswers(LateEpochAnswers):
    """An AnswerCache that stores under the epoch of the moment."""

    def __init__(self, answers: AnswerCache, epochs: EpochSource) -> None:
        super().__init__(answers)
        self._epochs = epochs

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""
        user = UserId(key[key.index("{") + 1 : key.index("}")])
        epoch = await self._epochs.epoch(user)
        await self._answers.put(key, replace(cached, epoch=epoch or cached.epoch))


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
