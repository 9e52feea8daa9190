"""Counting what is kept under one kind of key."""

from __future__ import annotations

from rag_core.adapters.redis.link import RedisLink
from rag_core.cache.keys import PREFIX
from rag_core.cache.sizes import CacheSize

MAX_KEYS = 20_000
"""Above so many keys counting would disturb the server: the size is not known then."""


async def measure(link: RedisLink, kind: str) -> CacheSize:
    """Entries and value bytes under `rag:{…}:kind:`, for servers of at most `MAX_KEYS` keys.

    Raises:
        CacheUnavailable: Redis did not answer in time.
    """
    if await link.call(link.client.dbsize()) > MAX_KEYS:
        return CacheSize(None, None)
    entries = size_bytes = cursor = 0
    while True:
        cursor, keys = await link.call(
            link.client.scan(cursor, match=f"{PREFIX}:{{*}}:{kind}:*", count=1000)
        )
        if keys:
            pipe = link.client.pipeline(transaction=False)
            for key in keys:
                pipe.strlen(key)
            entries += len(keys)
            size_bytes += sum(await link.call(pipe.execute()))
        if cursor == 0:
            return CacheSize(entries, size_bytes)
