"""Notes, chunks and epochs in this process: the fake of `adapters.postgres`, for speed and faults.

Every wait of the real thing is one here too, so that tasks interleave at the same places.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag_core.adapters.memory.search import best_hits
from rag_core.cache.epochs import Epoch
from rag_core.clock import Clock, SystemClock
from rag_core.domain.chunks import Chunk
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.note_store import (
    Conflict,
    EmbeddedNote,
    NoteHead,
    StoredNotes,
    StoredVersion,
    note_head,
)
from rag_core.domain.notes import Note
from rag_core.domain.query import LEXICAL_WEIGHT, Query, SearchMode
from rag_core.domain.ranking import DIMENSIONS, Ranking
from rag_core.domain.user import UserId
from rag_core.errors import EmbedderMismatch

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


class _NothingToDo(Exception):
    """Leaves a change without committing it."""


@dataclass(frozen=True, slots=True)
class StoredNote:
    """A note with its chunks; without them once it is deleted."""

    item: EmbeddedNote
    chunking: str
    changed_at: datetime
    live: bool = True

    @property
    def version(self) -> StoredVersion:
        """The stored version, which a writer compares with the one it saw."""
        return StoredVersion(self.item.note.version, self.chunking)


@dataclass(slots=True)
class Shelf:
    """What is committed for one user, or, in a change, what will be."""

    epoch: Epoch | None = None
    embedder: str | None = None
    stored: dict[str, StoredNote] = field(default_factory=dict)

    @property
    def live(self) -> dict[str, StoredNote]:
        """The notes that are not deleted, by id."""
        return {note_id: stored for note_id, stored in self.stored.items() if stored.live}


class MemoryNotes:
    """NoteStore and Retriever over dictionaries; `epochs` reads epochs.

    Args:
        lexical_weight: a number, what a point of BM25 counts beside the cosine, in hybrid search.
    """

    def __init__(
        self,
        *,
        embedder_digest: str,
        clock: Clock | None = None,
        mode: SearchMode = SearchMode.DENSE,
        lexical_weight: float = LEXICAL_WEIGHT,
    ) -> None:
        self._digest, self._mode = embedder_digest, mode
        self._lexical_weight = lexical_weight
        self._clock = clock or SystemClock()
        self._shelves: dict[UserId, Shelf] = defaultdict(Shelf)
        self._locks: dict[UserId, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def stored_notes(
        self, user: UserId, note_ids: Sequence[str] | None = None
    ) -> StoredNotes:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        shelf = self._shelves[user]
        notes = {
            note_id: stored.version
            for note_id, stored in shelf.live.items()
            if note_ids is None or note_id in note_ids
        }
        return StoredNotes(notes, shelf.embedder)

    async def vectors(
        self, user: UserId, note_ids: Sequence[str], *, embedder: str | None = None
    ) -> dict[str, Vector]:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        if embedder not in (None, self._shelves[user].embedder):
            return {}
        live = self._shelves[user].live
        return {
            chunk.sha256: vector
            for note_id in note_ids
            if note_id in live
            for chunk, vector in _placed(live[note_id].item)
        }

    async def read(self, user: UserId) -> list[Note]:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        return [stored.item.note for _, stored in sorted(self._shelves[user].live.items())]

    async def note(self, user: UserId, note_id: str) -> Note | None:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        stored = self._shelves[user].live.get(note_id)
        return stored.item.note if stored else None

    async def page(self, user: UserId, *, after: str = "", most: int = 100) -> list[NoteHead]:
        """See `rag_core.domain.note_store.NoteStore`."""
        notes = [note for note in await self.read(user) if note.id > after]
        return [note_head(note) for note in notes[:most]]

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> list[Conflict]:
        """See `rag_core.domain.note_store.NoteStore`."""
        conflicts: list[Conflict] = []
        async with self._change(user) as shelf:
            if shelf.embedder not in (None, embedder):
                raise EmbedderMismatch(user, str(shelf.embedder), embedder)
            for item in notes:
                stored = shelf.stored.get(item.note.id)
                current = stored.version if stored and stored.live else None
                if current != item.replaces:
                    changed_at = stored.changed_at if stored else self._now()
                    conflicts.append(Conflict(item.note.id, current, changed_at))
            lost = {conflict.note_id for conflict in conflicts}
            written = [item for item in notes if item.note.id not in lost]
            if not written:
                raise _NothingToDo
            shelf.embedder = embedder
            shelf.stored |= self._entries(written, chunking)
        return conflicts

    async def re_embed(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> bool:
        """See `rag_core.domain.note_store.NoteStore`."""
        given = {item.note.id: item.note.version for item in notes}
        done = False
        async with self._change(user) as shelf:
            if given != {n: stored.item.note.version for n, stored in shelf.live.items()}:
                raise _NothingToDo
            shelf.embedder = embedder
            shelf.stored |= self._entries(notes, chunking)
            done = True
        return done

    async def delete(self, user: UserId, note_id: str, condition: Condition = ALWAYS) -> bool:
        """See `rag_core.domain.note_store.NoteStore`."""
        done = False
        async with self._change(user) as shelf:
            live = shelf.live.get(note_id)
            condition.check(live.item.note.version if live else None)
            if live is None:
                raise _NothingToDo
            shelf.stored[note_id] = replace(
                shelf.stored[note_id], live=False, changed_at=self._now()
            )
            done = True
        return done

    async def deleted(self, before: datetime) -> list[UserId]:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        return sorted(user for user, shelf in self._shelves.items() if _gone(shelf, before))

    async def purge(self, user: UserId, before: datetime) -> int:
        """See `rag_core.domain.note_store.NoteStore`."""
        await asyncio.sleep(0)
        async with self._locks[user]:
            gone = _gone(self._shelves[user], before)
            for note_id in gone:
                del self._shelves[user].stored[note_id]
        return len(gone)

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `rag_core.domain.ranking.Retriever`."""
        await asyncio.sleep(0)
        shelf = self._shelves[user]
        if shelf.embedder not in (None, self._digest):
            raise EmbedderMismatch(user, str(shelf.embedder), self._digest)
        placed = [
            (stored.item.note, chunk, vector)
            for stored in shelf.live.values()
            for chunk, vector in _placed(stored.item)
        ]
        return best_hits(placed, query, self._mode, self._lexical_weight, k)

    async def epochs(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        """See `rag_core.cache.epochs.ReadEpochs`."""
        await asyncio.sleep(0)
        found = ((user, self._shelves[user].epoch) for user in users)
        return {user: epoch for user, epoch in found if epoch is not None}

    @asynccontextmanager
    async def _change(self, user: UserId) -> AsyncIterator[Shelf]:
        """A draft to change, under the user's lock and a new epoch.

        An error within the block leaves everything as it was.
        """
        await asyncio.sleep(0)
        async with self._locks[user]:
            shelf = self._shelves[user]
            draft = replace(shelf, epoch=Epoch(str(uuid.uuid4())), stored=dict(shelf.stored))
            try:
                yield draft
            except _NothingToDo:
                return
            await asyncio.sleep(0)
            self.commit(user, draft)
        await asyncio.sleep(0)  # others may see the change before its writer does

    def commit(self, user: UserId, shelf: Shelf) -> None:
        """Make a change visible, all at once."""
        self._shelves[user] = shelf

    def _entries(self, notes: Sequence[EmbeddedNote], chunking: str) -> dict[str, StoredNote]:
        """What a shelf keeps of `notes`; ValueError where the database would refuse a vector."""
        for item in notes:
            for _, vector in _placed(item):
                if vector.shape != (DIMENSIONS,):
                    raise ValueError(f"expected {DIMENSIONS} dimensions, not {vector.size}")
        return {item.note.id: StoredNote(item, chunking, self._now()) for item in notes}

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def _placed(item: EmbeddedNote) -> list[tuple[Chunk, Vector]]:
    return list(zip(item.chunks, item.vectors, strict=True))


def _gone(shelf: Shelf, before: datetime) -> list[str]:
    deleted = ((note_id, stored) for note_id, stored in shelf.stored.items() if not stored.live)
    return [note_id for note_id, stored in deleted if stored.changed_at < before]
