"""Calls by the client of Redis, and what became of them."""

from __future__ import annotations

import asyncio

from rag_core.adapters.redis import RedisClient
from rag_core.errors import CacheUnavailable
from tests.rag_core.adapters.redis.fake_server import FakeServer
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.embedded.processes import eventually

# What mending is made of, and no request.
MENDING = (b"HELLO", b"CLIENT", b"PING")


def asked(fake: FakeServer) -> int:
    """How many commands of requests have reached the server."""
    return sum(count for name, count in fake.commands.items() if name not in MENDING)


async def get(client: RedisClient, key: str = "key") -> object:
    return await client.execute("GET", key)


async def works(client: RedisClient) -> bool:
    try:
        await asyncio.wait_for(get(client), PATIENCE_S)
    except CacheUnavailable:
        return False
    return True


async def fails(client: RedisClient) -> None:
    """Redis is in trouble by now: a call has failed, and it is left alone.

    A single one is enough, except where our own machine was too busy to blame the server.
    """

    async def left_alone() -> bool:
        assert not await works(client)
        return not client.up

    await eventually(left_alone)


async def mended(client: RedisClient) -> None:
    """Calls come through again, with nothing done for it by them."""
    await eventually(lambda: client.up)
    await eventually(lambda: works(client))
