"""Two Valkeys, one the other's replica, that are killed, frozen, restored and promoted."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rag_core.embedded import OwnValkey


class ValkeyPair:
    """A primary and its replica, in trouble."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._ports = {_replicating(folder / name, port := _free_port()): port for name in "ab"}
        self._servers = list(self._ports)
        self._chance = chance
        self._turn = asyncio.Lock()
        self._two_primaries = False

    @property
    def primary(self) -> OwnValkey:
        """The one that workers should talk to."""
        return self._servers[0]

    async def start(self) -> None:
        """Start both, the second as a replica."""
        for server in self._servers:
            await server.start()
        await self._follow()

    async def stop(self) -> None:
        """End both."""
        for server in self._servers:
            await server.kill()

    async def fail_over(self) -> bool:
        """Promote the replica; the old primary stays, and takes writes, until it is demoted."""
        async with self._turn:
            if self._two_primaries:
                return False
            self._servers.reverse()
            self._two_primaries = True
            await _tell(self.primary, "REPLICAOF", "NO", "ONE")
            return True

    async def demote(self) -> bool:
        """Make the old primary the replica of the new one."""
        async with self._turn:
            if not self._two_primaries:
                return False
            self._two_primaries = False
            await self._follow()
            return True

    async def kill(self) -> None:
        """kill -9 one of them; it comes back empty or with its last snapshot."""
        async with self._turn:
            server = self._chance.choice(self._servers)
            await server.kill()
            await asyncio.sleep(0.05 * self._chance.random())
            if self._chance.random() < 0.3:
                server.forget_snapshot()
            await server.start()
            if server is not self.primary and not self._two_primaries:
                await self._follow()

    async def freeze(self) -> None:
        """SIGSTOP the primary for longer than a call may take."""
        async with self._turn:
            with self.primary.frozen():
                await asyncio.sleep(0.3 * self._chance.random())

    async def snapshot(self) -> None:
        """Save a snapshot of one of them."""
        await self._on_one("SAVE")

    async def flush(self) -> None:
        """Lose everything."""
        await self._on_one("FLUSHALL")

    async def hang_up(self) -> None:
        """Cut the connections of all clients."""
        await self._on_one("CLIENT", "KILL", "TYPE", "normal")

    async def evict(self) -> None:
        """Lose one key."""
        async with self._turn:
            if isinstance(key := await _tell(self.primary, "RANDOMKEY"), bytes):
                await _tell(self.primary, "DEL", key.decode())

    async def _on_one(self, *words: str) -> None:
        async with self._turn:
            await _tell(self._chance.choice(self._servers), *words)

    async def _follow(self) -> None:
        await _tell(self._servers[1], "REPLICAOF", "127.0.0.1", self._ports[self.primary])


async def _tell(server: OwnValkey, *words: str | int) -> object:
    """The reply to an operator's command; None when there is none."""
    client: Any = Redis.from_url(server.url, socket_timeout=5)
    with suppress(RedisError, OSError):
        async with client:
            return await client.execute_command(*words)
    return None


@asynccontextmanager
async def valkey_pair(folder: Path, chance: random.Random) -> AsyncIterator[ValkeyPair]:
    """A running pair in a folder of its own."""
    pair = ValkeyPair(folder, chance)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()


def _replicating(folder: Path, port: int) -> OwnValkey:
    """Replication knows no Unix sockets."""
    options = {"--port": str(port), "--bind": "127.0.0.1", "--repl-diskless-sync-delay": "0"}
    return OwnValkey(folder, options)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
