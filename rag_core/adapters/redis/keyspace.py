"""Counting and removing what is kept under one kind of key."""

from __future__ import annotations

from rag_core.adapters.redis.client import RedisClient
from rag_core.cache.keys import PREFIX
from rag_core.cache.stats import CacheSize

MAX_KEYS = 20_000
"""Above so many keys counting would disturb the server: the size is not known then."""

_BATCH = 500


async def measure(redis: RedisClient, kind: str) -> CacheSize:
    """Entries and value bytes under `rag:{…}:kind:`, for servers of at most `MAX_KEYS` keys.

    Raises:
        CacheUnavailable: Redis did not answer in time.
    """
    if await redis.call(redis.driver.dbsize) > MAX_KEYS:
        return CacheSize(None, None)
    keys = await _keys(redis, f"{PREFIX}:{{*}}:{kind}:*")
    size_bytes = 0
    for first in range(0, len(keys), _BATCH):
        pipe = redis.driver.pipeline(transaction=False)
        for key in keys[first : first + _BATCH]:
            pipe.strlen(key)
        size_bytes += sum(await redis.call(pipe.execute))
    return CacheSize(len(keys), size_bytes)


async def forget(redis: RedisClient, pattern: str) -> None:
    """Remove all keys that match `pattern`.

    Raises:
        CacheUnavailable: Redis did not answer in time.
    """
    for key in await _keys(redis, pattern):
        await redis.execute("UNLINK", key)


async def _keys(redis: RedisClient, pattern: str) -> list[bytes]:
    found = redis.driver.scan_iter(match=pattern, count=1000)
    keys = set()
    while (key := await redis.call(lambda: anext(found, None))) is not None:
        keys.add(key)
    return sorted(keys)
