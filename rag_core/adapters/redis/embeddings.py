"""The embedding cache on Redis: 1,536 raw bytes a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.keyspace import forget, size_of
from rag_core.cache.keys import user_key
from rag_core.cache.stats import CacheSize
from rag_core.domain.ranking import DIMENSIONS
from rag_core.domain.user import UserId

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

_FORMAT = np.dtype("<f4")


class RedisEmbeddingCache:
    """EmbeddingCache of little-endian float32 vectors."""

    def __init__(self, redis: RedisClient, *, ttl_s: float = 604_800) -> None:
        self._redis = redis
        self._ttl_ms = int(ttl_s * 1000)

    async def get(self, key: str) -> Vector | None:
        """See `EmbeddingCache`; bytes of any other length are a miss."""
        value = await self._redis.execute("GET", key)
        if not isinstance(value, bytes) or len(value) != DIMENSIONS * _FORMAT.itemsize:
            return None
        return np.frombuffer(value, dtype=_FORMAT).astype(np.float32, copy=False)

    async def put(self, key: str, vector: Vector) -> None:
        """See `EmbeddingCache`."""
        value = vector.astype(_FORMAT, copy=False).tobytes()
        await self._redis.execute("SET", key, value, "PX", self._ttl_ms)

    async def forget(self, user: UserId) -> None:
        """See `EmbeddingCache`."""
        await forget(self._redis, user_key(user, "embedding", "*"))

    async def size(self) -> CacheSize:
        """See `EmbeddingCache`."""
        return await size_of(self._redis, "embedding")
