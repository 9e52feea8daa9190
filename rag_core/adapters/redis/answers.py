"""The answer cache on Redis."""

from __future__ import annotations

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.keyspace import forget, size_of
from rag_core.cache.answers import CachedAnswer
from rag_core.cache.codec import decode_cached, encode
from rag_core.cache.keys import user_key
from rag_core.cache.stats import CacheSize
from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable


class RedisAnswerCache:
    """AnswerCache that all processes share."""

    def __init__(self, redis: RedisClient, *, clock: Clock) -> None:
        self._redis = redis
        self._clock = clock

    async def get(self, key: str) -> CachedAnswer | None:
        """See `AnswerCache`."""
        value = await self._redis.execute("GET", key)
        if not isinstance(value, bytes | None):
            raise CacheUnavailable("Redis answered GET with something else")
        cached = decode_cached(value)
        return cached if cached and self._clock.now() < cached.hard_expires_at else None

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""
        left_ms = int((cached.hard_expires_at - self._clock.now()) * 1000)
        if left_ms > 0:
            await self._redis.execute("SET", key, encode(cached), "PX", left_ms)

    async def forget(self, user: UserId) -> None:
        """See `AnswerCache`; an answer that another process waits for is one, too."""
        await forget(self._redis, user_key(user, "answer", "*"))
        await forget(self._redis, user_key(user, "flight", "*"))

    async def size(self) -> CacheSize:
        """See `AnswerCache`."""
        return await size_of(self._redis, "answer")
