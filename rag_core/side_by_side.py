"""Embedders side by side: each covers every note, whoever wrote it, before it answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakValueDictionary

from rag_core.domain.query import Query
from rag_core.domain.ranking import Embedder, Ranking, Retriever
from rag_core.domain.user import UserId
from rag_core.domain.vector_store import VectorStore
from rag_core.errors import EmbedderMismatch

BATCH_CHUNKS = 64
"""Chunks embedded and committed together: what a killed process embeds again at most."""


class SideBySide:
    """Gives chunks that others wrote their vectors by `embedder`."""

    def __init__(self, store: VectorStore, embedder: Embedder) -> None:
        self._store = store
        self._embedder = embedder
        self._turns: WeakValueDictionary[UserId, asyncio.Lock] = WeakValueDictionary()

    async def catch_up(
        self, user: UserId, *, progress: Callable[[int], object] = lambda chunks: None
    ) -> bool:
        """Embed what is missing until the user is covered; false where the embedder may not serve.

        What was embedded stays, whenever this ends.

        Args:
            progress: called with the number of chunks just embedded.

        Raises:
            DatabaseUnavailable: the store cannot be reached.
        """
        digest = self._embedder.digest
        turn = self._turns.setdefault(user, asyncio.Lock())
        async with turn:
            if not await self._store.serves(user, digest):
                return False
            while not await self._store.cover(user, digest):  # notes may change meanwhile
                await self._embed_missing(user, progress)
        return True

    async def _embed_missing(self, user: UserId, progress: Callable[[int], object]) -> None:
        digest, after = self._embedder.digest, ("", -1)
        while found := await self._store.missing(user, digest, after=after, most=BATCH_CHUNKS):
            vectors = await self._embedder.embed([chunk.text for chunk in found])
            await self._store.put(user, digest, list(zip(found, vectors, strict=True)))
            progress(len(found))
            after = found[-1].note_id, found[-1].position


class CaughtUpRetriever:
    """A retriever that first embeds what its embedder has not seen."""

    def __init__(self, retriever: Retriever, side: SideBySide) -> None:
        self._retriever = retriever
        self._side = side

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `Retriever`."""
        while True:
            try:
                return await self._retriever.search(user, query, k=k)
            except EmbedderMismatch:
                if not await self._side.catch_up(user):
                    raise
