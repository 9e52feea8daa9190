"""The answer cache on Redis: entry and epoch in one round trip."""

from __future__ import annotations

from rag_core.adapters.redis.epochs import RedisEpochs
from rag_core.adapters.redis.keyspace import measure
from rag_core.adapters.redis.link import RedisLink
from rag_core.cache.answers import Entry, Look
from rag_core.cache.entry_codec import decode_entry, encode
from rag_core.cache.sizes import CacheSize
from rag_core.clock import Clock
from rag_core.errors import CacheUnavailable
from rag_core.user import UserId


class RedisAnswerCache:
    """AnswerCache whose epochs are leased copies (`rag_core.cache.epochs`)."""

    def __init__(self, link: RedisLink, epochs: RedisEpochs, *, clock: Clock) -> None:
        self._link = link
        self._epochs = epochs
        self._clock = clock

    async def look(self, user: UserId, key: str) -> Look:
        """See `AnswerCache`; a second look, into the database, when the lease has run out."""
        reply = await self._link.call(self._link.client.mget(self._epochs.key(user), key))
        match reply:
            case [bytes() | None as copy, bytes() | None as value]:
                entry = decode_entry(value)
            case _:
                raise CacheUnavailable("Redis answered MGET with something else")
        if entry and self._clock.now() >= entry.gone_at:
            entry = None
        return Look(entry, await self._epochs.believed(user, copy))

    async def store(self, key: str, entry: Entry) -> None:
        """See `AnswerCache`."""
        left_ms = int((entry.gone_at - self._clock.now()) * 1000)
        if left_ms > 0:
            await self._link.call(self._link.client.set(key, encode(entry), px=left_ms))

    async def size(self) -> CacheSize:
        """See `AnswerCache`."""
        return await measure(self._link, "answer")
