"""Notes, chunks and epochs in this process: the fake of `adapters.postgres`, for speed and faults.

Every wait of the real thing is one here too, so that tasks interleave at the same places.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from rag_core.cache.epochs import Epoch, EpochBoard, NoBoard
from rag_core.chunks import Chunk
from rag_core.errors import EmbedderMismatch
from rag_core.notes import Note
from rag_core.retrieval import DIMENSIONS, Hit, Ranking
from rag_core.store import EmbeddedNote, Library, StoredVersion
from rag_core.user import UserId

if TYPE_CHECKING:
    from rag_core.retrieval import Vector


class _OtherNotes(Exception):
    """The user's live notes are not those that were expected; drops the change."""


@dataclass(slots=True)
class Shelf:
    """What is committed for one user, or, in a change, what will be."""

    epoch: Epoch | None = None
    embedder: str | None = None
    notes: dict[str, tuple[EmbeddedNote, str]] = field(default_factory=dict)
    """Note id -> the note and the name of the chunker that cut it."""


class MemoryNotes:
    """NoteStore, Retriever and EpochSource over dictionaries."""

    def __init__(self, *, embedder_digest: str, board: EpochBoard | None = None) -> None:
        self.board: EpochBoard = board or NoBoard()
        self._digest = embedder_digest
        self._shelves: dict[UserId, Shelf] = defaultdict(Shelf)
        self._locks: dict[UserId, _SharedLock] = defaultdict(_SharedLock)

    async def library(self, user: UserId) -> Library:
        """See `rag_core.store.NoteStore`."""
        await asyncio.sleep(0)
        shelf = self._shelves[user]
        notes = {
            note_id: StoredVersion(item.note.version, chunking)
            for note_id, (item, chunking) in shelf.notes.items()
        }
        return Library(notes, shelf.embedder)

    async def vectors(self, user: UserId, note_ids: Sequence[str]) -> dict[str, Vector]:
        """See `rag_core.store.NoteStore`."""
        await asyncio.sleep(0)
        items = [
            self._shelves[user].notes[n][0] for n in note_ids if n in self._shelves[user].notes
        ]
        return {
            chunk.sha256: vector
            for item in items
            for chunk, vector in zip(item.chunks, item.vectors, strict=True)
        }

    async def read(self, user: UserId) -> list[Note]:
        """See `rag_core.store.NoteStore`."""
        await asyncio.sleep(0)
        return [item.note for _, (item, _) in sorted(self._shelves[user].notes.items())]

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> None:
        """See `rag_core.store.NoteStore`."""
        async with self._change(user) as shelf:
            if shelf.embedder not in (None, embedder):
                raise EmbedderMismatch(user, str(shelf.embedder), embedder)
            shelf.embedder = embedder
            shelf.notes |= _entries(notes, chunking)

    async def re_embed(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> bool:
        """See `rag_core.store.NoteStore`."""
        given = {item.note.id: item.note.version for item in notes}
        try:
            async with self._change(user) as shelf:
                if given != {n: item.note.version for n, (item, _) in shelf.notes.items()}:
                    raise _OtherNotes
                shelf.embedder = embedder
                shelf.notes = _entries(notes, chunking)
        except _OtherNotes:
            return False
        return True

    async def delete(self, user: UserId, note_id: str) -> bool:
        """See `rag_core.store.NoteStore`."""
        if note_id not in (await self.library(user)).notes:
            return False
        try:
            async with self._change(user) as shelf:
                if shelf.notes.pop(note_id, None) is None:  # someone else was first
                    raise _OtherNotes
        except _OtherNotes:
            return False
        return True

    async def search(self, user: UserId, vector: Vector, *, k: int) -> Ranking:
        """See `rag_core.retrieval.Retriever`."""
        await asyncio.sleep(0)
        shelf = self._shelves[user]
        if shelf.embedder not in (None, self._digest):
            raise EmbedderMismatch(user, str(shelf.embedder), self._digest)
        hits = [
            _hit(item.note, chunk, float(stored @ vector))
            for item, _ in shelf.notes.values()
            for chunk, stored in zip(item.chunks, item.vectors, strict=True)
        ]
        best = sorted(hits, key=lambda hit: (-hit.score, hit.note_id, hit.position))
        return Ranking(tuple(best[:k]))

    async def epoch(self, user: UserId) -> Epoch | None:
        """See `rag_core.cache.epochs.EpochSource`."""
        await asyncio.sleep(0)
        return self._shelves[user].epoch

    @asynccontextmanager
    async def hold(self, user: UserId) -> AsyncIterator[Epoch | None]:
        """See `rag_core.cache.epochs.EpochSource`."""
        await asyncio.sleep(0)
        async with self._locks[user].try_shared() as held:
            yield self._shelves[user].epoch if held else None

    @asynccontextmanager
    async def _change(self, user: UserId) -> AsyncIterator[Shelf]:
        """A draft to change, under the user's lock: announced, committed, confirmed.

        An error within the block leaves everything as it was.
        """
        epoch = Epoch(str(uuid.uuid4()))
        await asyncio.sleep(0)
        async with self._locks[user].exclusive():
            announced = await self.board.announce(user, epoch)
            shelf = self._shelves[user]
            draft = replace(shelf, epoch=epoch, notes=dict(shelf.notes))
            yield draft
            await asyncio.sleep(0)
            self.commit(user, draft)
        await asyncio.sleep(0)  # others may see the change before the board hears of it
        if announced:
            await self.board.confirm(user, epoch)

    def commit(self, user: UserId, shelf: Shelf) -> None:
        """Make a change visible, all at once."""
        self._shelves[user] = shelf


class _SharedLock:
    """What Postgres' advisory locks do: one writer, or any number of holders that never wait.

    A writer in line already turns new holders away, so that it is not kept waiting for ever.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._writers = 0
        self._holders = 0
        self._unheld = asyncio.Event()
        self._unheld.set()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        self._writers += 1
        try:
            async with self._turn:
                await self._unheld.wait()
                yield
        finally:
            self._writers -= 1

    @asynccontextmanager
    async def try_shared(self) -> AsyncIterator[bool]:
        if self._writers:
            yield False
            return
        self._holders += 1
        self._unheld.clear()
        try:
            yield True
        finally:
            self._holders -= 1
            if not self._holders:
                self._unheld.set()


def _entries(notes: Sequence[EmbeddedNote], chunking: str) -> dict[str, tuple[EmbeddedNote, str]]:
    """What a shelf keeps of `notes`; ValueError where the database would refuse a vector."""
    for item in notes:
        for _, vector in zip(item.chunks, item.vectors, strict=True):
            if vector.shape != (DIMENSIONS,):
                raise ValueError(f"expected {DIMENSIONS} dimensions, not {vector.size}")
    return {item.note.id: (item, chunking) for item in notes}


def _hit(note: Note, chunk: Chunk, score: float) -> Hit:
    return Hit(
        note_id=note.id,
        position=chunk.position,
        title=note.title,
        heading=chunk.heading,
        text=chunk.text,
        start=chunk.start,
        end=chunk.end,
        author=note.author,
        date=note.date,
        tags=note.tags,
        verses=note.verses,
        score=score,
    )
