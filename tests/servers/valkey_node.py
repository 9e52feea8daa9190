"""A Valkey on a TCP port of 127.0.0.1, as clusters and sentinels need it."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from contextlib import closing
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rag_core.embedded import OwnValkey

PATIENCE_S = 30.0


class ValkeyNode(OwnValkey):
    """A server with a port; a kill loses all it held."""

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
        own = {"--port": str(port), "--bind": "127.0.0.1"}
        if bus_port:
            own["--cluster-port"] = str(bus_port)
        if password:
            own |= {"--requirepass": password, "--primaryauth": password}
        super().__init__(folder, own | options)
        self.port, self.bus_port, self.password = port, bus_port, password
        self._sentinel_file = folder / "sentinel.conf"
        self._sentinel = sentinel

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

    def _words(self) -> list[str]:
        if not self._sentinel:
            return super()._words()
        # It keeps its state in the file that it is started with.
        self._sentinel_file.write_text(f"port {self.port}\nbind 127.0.0.1\n{self._sentinel}")
        return [str(self._sentinel_file), "--sentinel"]


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
