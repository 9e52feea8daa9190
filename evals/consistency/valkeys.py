"""Two Valkeys, one the other's replica, that are killed, frozen, restored and promoted."""

from __future__ import annotations

import asyncio
import random
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from rag_core.embedded import find_valkey, spawn


class MortalValkey:
    """A Valkey that can be killed and comes back, now and then with an old snapshot."""

    def __init__(self, folder: Path, *, port: int = 0) -> None:
        self.port = port
        self._folder = folder
        self._socket = folder / "valkey.sock"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """For `redis.asyncio.from_url`."""
        return f"unix://{self._socket}"

    async def start(self) -> None:
        """Start it, with the last snapshot if there is one, and wait until it answers."""
        command: list[str | Path] = [
            find_valkey(), "--port", str(self.port), "--bind", "127.0.0.1",
            "--unixsocket", self._socket, "--dir", self._folder,
            "--save", "", "--repl-diskless-sync-delay", "0", "--loglevel", "warning",
        ]  # fmt: skip
        with (self._folder / "valkey.log").open("ab") as log:
            self._process = await spawn(
                command, cwd=self._folder, log=log.fileno(), dies_with=signal.SIGKILL
            )
        async with asyncio.timeout(10):
            answers = False
            while not answers:
                await asyncio.sleep(0.005)
                answers = bool(await self.command("PING"))

    async def command(self, *words: str | int) -> object:
        """The reply to an operator's command; None when there is none."""
        client: Any = Redis.from_url(self.url, socket_timeout=5)
        with suppress(RedisError, OSError):
            async with client:
                return await client.execute_command(*words)
        return None

    async def kill(self) -> None:
        """kill -9."""
        if self._process and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        self._socket.unlink(missing_ok=True)

    def forget_snapshot(self) -> None:
        """Come back empty next time."""
        (self._folder / "dump.rdb").unlink(missing_ok=True)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, SIGSTOP or SIGCONT say."""
        assert self._process is not None, "start it first"
        self._process.send_signal(number)


class ValkeyPair:
    """A primary and its replica, in trouble."""

    def __init__(self, first: MortalValkey, second: MortalValkey, chance: random.Random) -> None:
        self._servers = [first, second]
        self._chance = chance
        self._turn = asyncio.Lock()
        self._two_primaries = False

    @property
    def primary(self) -> MortalValkey:
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
            await self.primary.command("REPLICAOF", "NO", "ONE")
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
            self.primary.signal(signal.SIGSTOP)
            await asyncio.sleep(0.3 * self._chance.random())
            self.primary.signal(signal.SIGCONT)

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
            if isinstance(key := await self.primary.command("RANDOMKEY"), bytes):
                await self.primary.command("DEL", key.decode())

    async def _on_one(self, *words: str) -> None:
        async with self._turn:
            await self._chance.choice(self._servers).command(*words)

    async def _follow(self) -> None:
        await self._servers[1].command("REPLICAOF", "127.0.0.1", self.primary.port)


@asynccontextmanager
async def valkey_pair(folder: Path, chance: random.Random) -> AsyncIterator[ValkeyPair]:
    """A running pair in a folder of its own."""
    servers = []
    for name in "ab":
        (folder / name).mkdir()
        servers.append(MortalValkey(folder / name, port=_free_port()))
    pair = ValkeyPair(servers[0], servers[1], chance)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()


def _free_port() -> int:
    """Replication knows no Unix sockets."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
