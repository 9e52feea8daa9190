"""Counting and removing what is kept under one kind of key, on every server that has keys."""

from __future__ import annotations

from redis.asyncio import Redis

from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.connect import primaries
from rag_core.cache.keys import PREFIX
from rag_core.cache.stats import CacheSize

MAX_KEYS = 20_000
"""Keys of a server above which its entries are not counted: that would disturb it."""

_BATCH = 500


async def size_of(redis: RedisClient, kind: str) -> CacheSize:
    """Entries and value bytes under `rag:{…}:kind:`, for servers of at most `MAX_KEYS` keys each.

    Raises:
        CacheUnavailable: Redis did not answer in time.
    """
    entries = size_bytes = 0
    for server in await redis.call(lambda: primaries(redis.driver)):
        if await redis.call(server.dbsize) > MAX_KEYS:
            return CacheSize(None, None)
        keys = await _keys(redis, server, f"{PREFIX}:{{*}}:{kind}:*")
        entries += len(keys)
        for first in range(0, len(keys), _BATCH):
            pipe = server.pipeline(transaction=False)
            for key in keys[first : first + _BATCH]:
                pipe.strlen(key)
            size_bytes += sum(await redis.call(pipe.execute))
    return CacheSize(entries, size_bytes)


async def forget(redis: RedisClient, pattern: str) -> None:
    """Remove all keys that match `pattern`.

    Raises:
        CacheUnavailable: Redis did not answer in time.
    """
    for server in await redis.call(lambda: primaries(redis.driver)):
        for key in await _keys(redis, server, pattern):
            await redis.execute("UNLINK", key)


async def _keys(redis: RedisClient, server: Redis, pattern: str) -> list[bytes]:
    """The keys that match; each step of the scan has a time of its own."""
    found = server.scan_iter(match=pattern, count=1000)
    keys = set()
    while (key := await redis.call(lambda: anext(found, None))) is not None:
        keys.add(key)
    return sorted(keys)
