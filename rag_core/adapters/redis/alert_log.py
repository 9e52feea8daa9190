"""Which alerts were told already, by any process that shares a Redis."""

from __future__ import annotations

from rag_core.adapters.redis.client import RedisClient
from rag_core.budget import Alert

TTL_S = 2 * 86_400
"""Longer than the day or the hour for which an alert is told once."""


class RedisAlertLog:
    """AlertLog that all processes share."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    async def first(self, alert: Alert) -> bool:
        """See `AlertLog`."""
        key = f"rag:{{{alert.user or ''}}}:alert:{alert.key}"
        return await self._redis.execute("SET", key, b"", "NX", "EX", TTL_S) is not None
