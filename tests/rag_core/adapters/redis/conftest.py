"""A real Valkey for the session, servers of a test's own, and one that plays faults."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from rag_core.adapters.redis import RedisAnswerCache, RedisClient, RedisEmbeddingCache, open_client
from rag_core.cache import AnswerCache, EmbeddingCache, MemoryAnswerCache, MemoryEmbeddingCache
from rag_core.clock import ManualClock
from rag_core.embedded import OwnValkey, embedded_stack
from tests.rag_core.adapters.redis.fake_server import FakeServer, fake_server
from tests.rag_core.budget.parts import World, memory_world, redis_world
from tests.rag_core.cache.parts import PATIENCE_S


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def redis_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """The server that all tests share, each with users of its own; never flushed."""
    if url := os.environ.get("RAG_TEST_REDIS_URL"):
        yield url
        return
    async with embedded_stack(tmp_path_factory.mktemp("valkey"), postgres=False) as urls:
        yield urls.redis_url


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[RedisClient]:
    """A patient client: a busy machine must not look like a broken server."""
    async with open_client(redis_url, call_timeout_s=PATIENCE_S) as client:
        yield client


@pytest.fixture
async def other_client(redis_url: str) -> AsyncIterator[RedisClient]:
    """A client as another process would have it."""
    async with open_client(redis_url, call_timeout_s=PATIENCE_S) as client:
        yield client


@pytest.fixture
def redis_answers(client: RedisClient, clock: ManualClock) -> RedisAnswerCache:
    return RedisAnswerCache(client, clock=clock)


@pytest.fixture(params=["memory", "redis"])
def answers(request: pytest.FixtureRequest, clock: ManualClock) -> AnswerCache:
    """Every implementation of AnswerCache."""
    if request.param == "memory":
        return MemoryAnswerCache(clock=clock)
    cache: AnswerCache = request.getfixturevalue("redis_answers")
    return cache


@pytest.fixture(params=["memory", "redis"])
def embeddings(request: pytest.FixtureRequest) -> EmbeddingCache:
    """Every implementation of EmbeddingCache."""
    if request.param == "memory":
        return MemoryEmbeddingCache()
    return RedisEmbeddingCache(request.getfixturevalue("client"))


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[OwnValkey]:
    """A Valkey that the test may freeze, kill and restart."""
    async with OwnValkey(tmp_path / "own") as server:
        yield server


@pytest.fixture
async def fake(tmp_path: Path) -> AsyncIterator[FakeServer]:
    """A server that answers like Redis, until it is told to misbehave."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(fake_server(tmp_path / "fake.sock"))


@pytest.fixture
async def broken(fake: FakeServer) -> AsyncIterator[RedisClient]:
    """A client of the server that plays faults."""
    async with open_client(fake.url) as client:
        yield client


@pytest.fixture
async def patient(fake: FakeServer) -> AsyncIterator[RedisClient]:
    """The same, with time enough for each call to be seen in the middle of it."""
    async with open_client(fake.url, call_timeout_s=PATIENCE_S) as client:
        yield client


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> World:
    """A ledger's store in memory, then on Redis; each on a day of its own."""
    if request.param == "memory":
        return memory_world()
    client: RedisClient = request.getfixturevalue("client")
    return redis_world(client)
