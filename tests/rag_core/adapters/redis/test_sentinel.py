"""A primary that sentinels replace, and sentinels that keep one waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.exceptions import RedisError

from rag_core.adapters.redis import Driver, open_driver
from tests.rag_core.embedded.processes import eventually
from tests.servers.valkey_sentinel import WatchedPair, watched_pair


@asynccontextmanager
async def client_of(pair: WatchedPair) -> AsyncIterator[Driver]:
    client = open_driver(pair.url, max_connections=4, connect_timeout_s=1.0)
    try:
        yield client
    finally:
        await client.aclose()


async def answered(client: Driver, value: str) -> bool:
    """Whether a value can be written within a request's time for Redis."""
    try:
        async with asyncio.timeout(0.05):
            return bool(await client.set("key", value))
    except (RedisError, TimeoutError):
        return False


async def reaches_replica(client: Driver, pair: WatchedPair, value: str) -> bool:
    """Whether a value can be written and is then held by the replica, as it was at first."""
    if not await answered(client, value):
        return False
    async with pair.replica.client() as direct:
        return await direct.get("key") == value


async def test_who_takes_a_dead_primarys_place_is_found(tmp_path: Path) -> None:
    async with watched_pair(tmp_path) as pair, client_of(pair) as client:
        await eventually(lambda: answered(client, "before"))
        await pair.primary.kill()
        await eventually(lambda: reaches_replica(client, pair, "after"))


async def test_who_takes_a_frozen_primarys_place_is_found(tmp_path: Path) -> None:
    async with watched_pair(tmp_path) as pair, client_of(pair) as client:
        await eventually(lambda: answered(client, "before"))
        with pair.primary.frozen():
            await eventually(lambda: reaches_replica(client, pair, "after"))


async def test_a_frozen_sentinel_is_not_asked_first_again(tmp_path: Path) -> None:
    async with watched_pair(tmp_path, sentinels=2) as pair, client_of(pair) as client:
        with pair.sentinels[0].frozen():
            assert not await answered(client, "waits for the first sentinel")
            await eventually(lambda: answered(client, "asks the second"))


async def test_without_sentinels_the_known_primary_goes_on(tmp_path: Path) -> None:
    async with watched_pair(tmp_path) as pair, client_of(pair) as client:
        await eventually(lambda: answered(client, "before"))
        await pair.sentinels[0].kill()
        await eventually(lambda: answered(client, "after"))
