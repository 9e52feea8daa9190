"""One Valkey on a TCP port of 127.0.0.1, as clusters and sentinels need it."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
from asyncio.subprocess import Process
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rag_core.embedded import end, find_valkey, log_tail, open_log, spawn

PATIENCE_S = 30.0

_IN_MEMORY = {"--save": "", "--appendonly": "no", "--bind": "127.0.0.1", "--daemonize": "no"}


class ValkeyNode:
    """A Valkey that can be frozen, killed and started again; a kill loses all it held."""

    def __init__(
        self,
        folder: Path,
        port: int,
        options: dict[str, str],
        *,
        password: str = "",
        bus_port: int = 0,
        sentinel: str = "",
    ) -> None:
        """A node to start.

        Args:
            bus_port: where it speaks with the other nodes of its cluster.
            sentinel: what a sentinel watches, as lines of its configuration; else it is a server.
        """
        self.port = port
        self.bus_port = bus_port
        self.password = password
        self._folder = folder
        self._options = _IN_MEMORY | {"--port": str(port), "--dir": str(folder)} | options
        if bus_port:
            self._options["--cluster-port"] = str(bus_port)
        if password:
            self._options |= {"--requirepass": password, "--primaryauth": password}
        self._sentinel = sentinel
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """Host and port, as a URL has them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """URL of this node alone."""
        return f"redis://{self.login}{self.address}"

    @property
    def login(self) -> str:
        """The password as a URL has it before the address; empty without one."""
        return f":{quote(self.password, safe='')}@" if self.password else ""

    def client(self) -> Redis:
        """A client of this node alone; whoever asks for one closes it."""
        return Redis.from_url(self.url, retry=Retry(NoBackoff(), 0), decode_responses=True)

    async def start(self) -> None:
        """Return once it answers.

        Raises:
            RuntimeError: it ended instead; carries the end of its log.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        log_path = self._folder / "log"
        command: list[str | Path] = [find_valkey(), *self._words()]
        with open_log(log_path) as log:
            self._process = await spawn(
                command, cwd=self._folder, log=log, dies_with=signal.SIGTERM
            )
        async with asyncio.timeout(PATIENCE_S):
            while not await self.answers():
                if self._process.returncode is not None:
                    raise RuntimeError(f"Valkey did not start:\n{log_tail(log_path)}")
                await asyncio.sleep(0.005)

    async def answers(self) -> bool:
        """Whether it answers just now."""
        async with self.client() as client:
            try:
                return bool(await client.ping())
            except RedisError:
                return False

    async def until_in_sync(self) -> None:
        """Return once it has all that its primary holds; for a replica."""
        async with asyncio.timeout(PATIENCE_S), self.client() as client:
            while True:
                if (await client.info("replication")).get("master_link_status") == "up":
                    return
                await asyncio.sleep(0.01)

    async def kill(self) -> None:
        """End it without a goodbye."""
        await end(self._running, signal.SIGKILL, patience_s=PATIENCE_S)

    async def stop(self) -> None:
        """End it in good order, if it runs at all."""
        if self._process is not None:
            await end(self._process, signal.SIGTERM, patience_s=5.0)

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block the process stands still: it is there, but does nothing."""
        pid = self._running.pid
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    @property
    def _running(self) -> Process:
        assert self._process is not None, "the node was never started"
        return self._process

    def _words(self) -> list[str]:
        if self._sentinel:  # it keeps its state in the file that it is started with
            file = self._folder / "sentinel.conf"
            file.write_text(f"port {self.port}\nbind 127.0.0.1\n{self._sentinel}")
            return [str(file), "--sentinel"]
        return [word for item in self._options.items() for word in item]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on just now, all different.

    Below those that the kernel gives to outgoing connections, which could take one at any time;
    another process that runs this at the same moment begins elsewhere.
    """
    first = 10_000 + 97 * os.getpid() % 10_000 + next(_handed_out)
    ports = (port for port in range(first, 32_000) if _is_free(port))
    found = list(islice(ports, count))
    for _ in range(found[-1] - first):
        next(_handed_out)
    return found


_handed_out = itertools.count()


def _is_free(port: int) -> bool:
    with closing(socket.socket()) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
