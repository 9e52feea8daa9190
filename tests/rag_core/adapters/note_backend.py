"""A store of notes with its search and its epochs, whatever it is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.cache import EpochSource
from rag_core.domain import (
    Conflict,
    EmbeddedNote,
    Note,
    NoteStore,
    Query,
    Retriever,
    SentenceChunker,
    StoredNotes,
    UserId,
)
from tests.rag_core.library import OtherEmbedder

DIGEST = HashingEmbedder().digest
OTHER_DIGEST = OtherEmbedder().digest


@dataclass(frozen=True, slots=True)
class Backend:
    """A store, what searches it, and where its epochs are."""

    store: NoteStore
    retriever: Retriever
    epochs: EpochSource
    cut: SentenceChunker

    async def embedded(self, *notes: Note) -> list[EmbeddedNote]:
        items = []
        for one in notes:
            chunks = self.cut(one)
            vectors = await HashingEmbedder().embed([chunk.embedded_text for chunk in chunks])
            items.append(EmbeddedNote(one, chunks, tuple(vectors)))
        return items

    async def write(self, user: UserId, *notes: Note, embedder: str = DIGEST) -> None:
        """Write over whatever is stored, however often that changes meanwhile."""
        items = await self.embedded(*notes)
        while items:
            seen = (await self.store.stored_notes(user, [item.note.id for item in items])).notes
            items = [replace(item, replaces=seen.get(item.note.id)) for item in items]
            lost = {conflict.note_id for conflict in await self.put(user, items, embedder=embedder)}
            items = [item for item in items if item.note.id in lost]

    async def put(
        self, user: UserId, items: list[EmbeddedNote], *, embedder: str = DIGEST
    ) -> list[Conflict]:
        return await self.store.replace(user, items, chunking=self.cut.name, embedder=embedder)

    async def re_embed(self, user: UserId, *notes: Note, chunking: str = "anew") -> bool:
        items = await self.embedded(*notes)
        return await self.store.re_embed(user, items, chunking=chunking, embedder=OTHER_DIGEST)

    async def found(self, user: UserId, question: str, k: int = 5) -> list[str]:
        query = Query((await HashingEmbedder().embed([question]))[0], question)
        return [hit.note_id for hit in (await self.retriever.search(user, query, k=k)).hits]

    async def state(self, user: UserId) -> tuple[object, ...]:
        """Everything of a user that a change may change."""
        notes = await self.store.read(user)
        vectors = await self.store.vectors(user, [note.id for note in notes])
        raw = {sha256: vector.tobytes() for sha256, vector in vectors.items()}
        return await self.store.stored_notes(user), notes, raw, await self.epochs.epoch(user)


def expecting(items: list[EmbeddedNote], seen: StoredNotes) -> list[EmbeddedNote]:
    """The notes as a writer has them that saw this library."""
    return [replace(item, replaces=seen.notes.get(item.note.id)) for item in items]
