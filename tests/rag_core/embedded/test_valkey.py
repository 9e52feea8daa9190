"""Valkey starts on what a crash left behind, and keeps nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import redis.asyncio

from rag_core.embedded import StackHome, ValkeyServer
from rag_core.errors import EmbeddedServerError
from tests.rag_core.embedded.processes import pid_of, running_below


@asynccontextmanager
async def running(server: ValkeyServer) -> AsyncIterator[str]:
    try:
        yield await server.start()
    finally:
        await server.stop()


async def test_a_stopped_server_leaves_no_process_and_no_data(home: Path) -> None:
    server = ValkeyServer(StackHome.prepare(home))
    async with running(server) as url, redis.asyncio.from_url(url) as valkey:
        await valkey.set("word", "kept")
    assert not server.is_running
    assert not running_below(home)
    async with running(server) as url, redis.asyncio.from_url(url) as valkey:
        assert await valkey.get("word") is None
    assert not os.listdir(home / "valkey")


async def test_a_server_killed_hard_is_started_again_at_once(home: Path) -> None:
    server = ValkeyServer(StackHome.prepare(home))
    async with running(server) as url:
        os.kill(pid_of(home, "valkey-server"), signal.SIGKILL)
        await server.wait()
        assert await server.start() == url
        async with redis.asyncio.from_url(url) as valkey:
            assert await valkey.ping()


async def test_an_orphaned_server_is_ended_by_its_successor(home: Path) -> None:
    orphan, successor = (ValkeyServer(StackHome.prepare(home)) for _ in range(2))
    async with running(orphan), running(successor):
        await orphan.wait()
        assert pid_of(home, "valkey-server")


async def test_a_server_that_ends_at_once_is_reported_with_its_log(home: Path) -> None:
    stack_home = StackHome.prepare(home)
    os.mkdir(home / "run", 0o700)
    os.mkdir(home / "run" / "valkey.sock")
    with pytest.raises(EmbeddedServerError, match="Valkey did not start") as raised:
        await ValkeyServer(stack_home).start()
    assert "RAG_REDIS_URL" in raised.value.fix
