"""The embedding cache: vectors of questions, so that a repeated one is not embedded again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from cachebox import LRUCache

from rag_core.cache.keys import user_key
from rag_core.cache.stats import CacheSize
from rag_core.domain.user import UserId

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


class EmbeddingCache(Protocol):
    """Vectors by key; `rag_core.cache.keys.embedding_key` makes keys."""

    async def get(self, key: str) -> Vector | None:
        """float32[384], or None.

        Raises:
            CacheUnavailable: the cache did not answer in time.
        """
        ...

    async def put(self, key: str, vector: Vector) -> None:
        """Keep the vector for the cache's TTL.

        Raises:
            CacheUnavailable: the cache did not answer in time, or is full.
        """
        ...

    async def forget(self, user: UserId) -> None:
        """Remove every vector of `user`'s questions.

        Raises:
            CacheUnavailable: the cache did not answer; some may be left.
        """
        ...

    async def size(self) -> CacheSize:
        """How much it holds, of all users."""
        ...


class NoEmbeddingCache:
    """EmbeddingCache that keeps nothing."""

    async def get(self, key: str) -> Vector | None:
        """See `EmbeddingCache`."""
        return None

    async def put(self, key: str, vector: Vector) -> None:
        """See `EmbeddingCache`."""

    async def forget(self, user: UserId) -> None:
        """See `EmbeddingCache`."""

    async def size(self) -> CacheSize:
        """See `EmbeddingCache`."""
        return CacheSize(0, 0)


class MemoryEmbeddingCache:
    """EmbeddingCache in this process; the least recently used vectors go first."""

    def __init__(self, max_entries: int = 10_000) -> None:
        self._vectors: LRUCache[str, Vector] = LRUCache(max_entries)

    async def get(self, key: str) -> Vector | None:
        """See `EmbeddingCache`."""
        vector: Vector | None = self._vectors.get(key)
        return vector

    async def put(self, key: str, vector: Vector) -> None:
        """See `EmbeddingCache`."""
        self._vectors[key] = vector

    async def forget(self, user: UserId) -> None:
        """See `EmbeddingCache`."""
        prefix = user_key(user, "embedding", "")
        for key in [key for key in self._vectors if key.startswith(prefix)]:
            del self._vectors[key]

    async def size(self) -> CacheSize:
        """See `EmbeddingCache`."""
        return CacheSize(len(self._vectors), sum(v.nbytes for v in self._vectors.values()))
