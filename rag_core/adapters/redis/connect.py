"""Drivers by URL (interim)."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rag_core.errors import ConfigurationError

Driver = Any


def open_driver(url: str, *, max_connections: int) -> Driver:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=max_connections,
            timeout=None,
            retry=Retry(NoBackoff(), 0),
            socket_timeout=None,
            socket_connect_timeout=None,
        )
    except ValueError as error:
        raise ConfigurationError("RAG_REDIS_URL", "is not a Redis URL") from error
    return Redis.from_pool(pool)
