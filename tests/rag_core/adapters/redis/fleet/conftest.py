"""Two processes of a fleet, and a flight that both ask for."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.adapters.redis import RedisFleet
from rag_core.cache import flight_key
from rag_core.domain import UserId
from tests.rag_core.adapters.redis.fleet.flights import CountingClient, counting, fleet_of
from tests.rag_core.cache.parts import Work


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[CountingClient]:
    async with counting(redis_url) as client:
        yield client


@pytest.fixture
async def other_client(redis_url: str) -> AsyncIterator[CountingClient]:
    async with counting(redis_url) as client:
        yield client


@pytest.fixture
def here(client: CountingClient) -> RedisFleet:
    return fleet_of(client)


@pytest.fixture
def there(other_client: CountingClient) -> RedisFleet:
    """What another process has."""
    return fleet_of(other_client)


@pytest.fixture
def key(user: UserId) -> str:
    return flight_key(user, "evidence")


@pytest.fixture
async def work() -> Work:
    return Work()
