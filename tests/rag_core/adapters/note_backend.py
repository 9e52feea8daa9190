"""A store of notes with its search, its epochs and a board, whatever it is made of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.cache.epochs import Epoch, EpochSource
from rag_core.chunks import SentenceChunker
from rag_core.notes import Note
from rag_core.retrieval import Retriever
from rag_core.store import EmbeddedNote, NoteStore
from rag_core.user import UserId
from tests.rag_core.library import OtherEmbedder

DIGEST = HashingEmbedder().digest
OTHER_DIGEST = OtherEmbedder().digest


class Board:
    """Notes what it is told, and whether that epoch stands by then."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Epoch, bool]] = []
        self.epochs: EpochSource
        self.announcing: Callable[[], Awaitable[bool]] = self._announced

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        self.seen.append(("announced", epoch, await self.epochs.epoch(user) == epoch))
        return await self.announcing()

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        self.seen.append(("confirmed", epoch, await self.epochs.epoch(user) == epoch))

    @property
    def told(self) -> list[str]:
        return [what for what, *_ in self.seen]

    def once(self, action: Callable[[], Awaitable[object]]) -> None:
        """Run `action` within the next announcement, while that change is in flight."""

        async def announcing() -> bool:
            self.announcing = self._announced
            await action()
            return True

        self.announcing = announcing

    async def _announced(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Backend:
    """A store, what searches it, where its epochs are, and the board it tells."""

    store: NoteStore
    retriever: Retriever
    epochs: EpochSource
    board: Board
    cut: SentenceChunker

    async def embedded(self, *notes: Note) -> list[EmbeddedNote]:
        items = []
        for one in notes:
            chunks = self.cut(one)
            vectors = await HashingEmbedder().embed([chunk.embedded_text for chunk in chunks])
            items.append(EmbeddedNote(one, chunks, tuple(vectors)))
        return items

    async def write(self, user: UserId, *notes: Note, embedder: str = DIGEST) -> None:
        items = await self.embedded(*notes)
        await self.store.replace(user, items, chunking=self.cut.name, embedder=embedder)

    async def re_embed(self, user: UserId, *notes: Note, chunking: str = "anew") -> bool:
        items = await self.embedded(*notes)
        return await self.store.re_embed(user, items, chunking=chunking, embedder=OTHER_DIGEST)

    async def found(self, user: UserId, question: str, k: int = 5) -> list[str]:
        vector = (await HashingEmbedder().embed([question]))[0]
        return [hit.note_id for hit in (await self.retriever.search(user, vector, k=k)).hits]

    async def holdable(self, user: UserId) -> Epoch | None:
        async with self.epochs.hold(user) as held:
            return held

    async def turned_away(self, user: UserId, held: Epoch | None) -> None:
        """Ask for the epoch until a writer is in line, so that nobody gets it any more."""
        for _ in range(2_000):
            again = await self.holdable(user)
            if again is None:
                return
            assert again == held, "the writer did not wait"
        raise AssertionError("no writer is in line")

    async def state(self, user: UserId) -> tuple[object, ...]:
        """Everything of a user that a change may change."""
        notes = await self.store.read(user)
        vectors = await self.store.vectors(user, [note.id for note in notes])
        raw = {sha256: vector.tobytes() for sha256, vector in vectors.items()}
        return await self.store.library(user), notes, raw, await self.epochs.epoch(user)
