"""The client of Redis connects: to a server that is there, hangs, freezes or comes later."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_core.adapters.redis import (
    CALL_TIMEOUT_S,
    RedisClient,
    open_client,
)
from rag_core.embedded import OwnValkey
from rag_core.errors import ConfigurationError
from tests.rag_core.adapters.redis.client_calls import (
    fails,
    get,
    mended,
    works,
)
from tests.rag_core.adapters.redis.fake_server import FakeServer, Fault, fake_server


async def test_the_first_call_finds_its_connection_open(
    broken: RedisClient, fake: FakeServer
) -> None:
    opened = fake.connections
    assert opened >= 1
    await get(broken)
    assert fake.connections == opened


async def test_a_server_that_is_not_there_yet_is_used_when_it_comes(tmp_path: Path) -> None:
    socket = tmp_path / "late.sock"
    async with open_client(f"unix://{socket}") as client:
        assert not client.up
        async with fake_server(socket):
            await mended(client)
            await client.aclose()


async def test_a_server_that_hangs_does_not_keep_a_process_from_starting(
    fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag_core.adapters.redis.client.FIRST_CONNECT_TIMEOUT_S", 0.01)
    fake.always(Fault.STALL)
    async with open_client(fake.url) as client:
        assert not client.up
        fake.behave()
        fake.cut_all()
        await mended(client)


async def test_a_server_to_which_connecting_takes_longer_than_a_call_may_is_used_all_the_same(
    fake: FakeServer,
) -> None:
    """Connections are made in the background, and kept."""
    fake.connect_s = CALL_TIMEOUT_S + 0.01
    async with open_client(fake.url) as client:
        assert await works(client), "from the start"
        fake.cut_all()
        await fails(client)
        await mended(client)


async def test_a_frozen_server_fails_calls_in_time_and_is_back_when_it_thaws(
    valkey: OwnValkey,
) -> None:
    async with open_client(valkey.url) as client:
        await mended(client)
        with valkey.frozen():
            await fails(client)
        await mended(client)


async def test_a_killed_server_is_used_again_after_its_restart(valkey: OwnValkey) -> None:
    async with open_client(valkey.url) as client:
        await mended(client)
        await valkey.kill()
        await fails(client)
        await valkey.start()
        await mended(client)


async def test_a_url_that_cannot_be_understood_is_refused_by_name(
    subtests: pytest.Subtests,
) -> None:
    for url in ["not a url", "http://localhost", "redis://host:port"]:
        with subtests.test(url=url), pytest.raises(ConfigurationError, match="RAG_REDIS_URL"):
            async with open_client(url):
                pass
