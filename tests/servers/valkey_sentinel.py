"""A primary, its replica and a sentinel that watches both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.exceptions import RedisError

from tests.servers.valkey_node import PATIENCE_S, ValkeyNode, free_ports

SERVICE = "notes"


class WatchedPair:
    """`primary` and `replica` as they were at first, and the sentinels that may swap them."""

    def __init__(
        self, primary: ValkeyNode, replica: ValkeyNode, sentinels: list[ValkeyNode]
    ) -> None:
        self.primary, self.replica, self.sentinels = primary, replica, sentinels

    @property
    def url(self) -> str:
        """URL that names the sentinels and the service."""
        addresses = ",".join(sentinel.address for sentinel in self.sentinels)
        return f"redis+sentinel://{self.primary.login}{addresses}/{SERVICE}"

    async def start(self) -> None:
        """Return once the sentinels know the replica, and it has all that the primary has."""
        await asyncio.gather(self.primary.start(), self.replica.start())
        await self.replica.until_in_sync()
        for sentinel in self.sentinels:
            await sentinel.start()
        for sentinel in self.sentinels:
            await self._until_known(sentinel, self.replica.port)

    async def until_promoted(self) -> None:
        """Return once all sentinels that answer call the replica primary."""
        for sentinel in self.sentinels:
            if await sentinel.answers():
                await self._until_primary(sentinel, self.replica.port)

    async def fail_over(self) -> None:
        """Have the replica take the primary's place; of that the old primary hears within 10 s."""
        async with self.sentinels[0].client() as client:
            await client.execute_command("SENTINEL FAILOVER", SERVICE)
        await self.until_promoted()

    async def stop(self) -> None:
        """End all of them."""
        nodes = (*self.sentinels, self.primary, self.replica)
        await asyncio.gather(*(node.stop() for node in nodes))

    async def _until_known(self, sentinel: ValkeyNode, port: int) -> None:
        async with asyncio.timeout(PATIENCE_S), sentinel.client() as client:
            while True:
                for one in await client.sentinel_slaves(SERVICE):
                    if one["port"] == port and one["master-link-status"] == "ok":
                        return
                await asyncio.sleep(0.01)

    async def _until_primary(self, sentinel: ValkeyNode, port: int) -> None:
        async with asyncio.timeout(PATIENCE_S), sentinel.client() as client:
            while True:
                try:
                    found = await client.sentinel_get_master_addr_by_name(SERVICE)
                except RedisError:
                    found = None
                if found and int(found[1]) == port:
                    return
                await asyncio.sleep(0.01)


def _watching(port: int, password: str) -> str:
    lines = [
        f"sentinel monitor {SERVICE} 127.0.0.1 {port} 1",
        f"sentinel down-after-milliseconds {SERVICE} 500",
        f"sentinel failover-timeout {SERVICE} 2000",
    ]
    if password:
        lines.append(f'sentinel auth-pass {SERVICE} "{password}"')
    return "\n".join(lines) + "\n"


@asynccontextmanager
async def watched_pair(
    home: Path, *, sentinels: int = 1, password: str = ""
) -> AsyncIterator[WatchedPair]:
    """A pair below `home`, which may be empty, watched for the block's time."""
    first, second, *others = free_ports(2 + sentinels)
    at_once = {"--repl-diskless-sync-delay": "0"}
    following = at_once | {"--replicaof": f"127.0.0.1 {first}"}
    primary = ValkeyNode(home / "primary", first, at_once, password=password)
    replica = ValkeyNode(home / "replica", second, following, password=password)
    watching = [
        ValkeyNode(home / f"sentinel-{port}", port, {}, sentinel=_watching(first, password))
        for port in others
    ]
    pair = WatchedPair(primary, replica, watching)
    try:
        await pair.start()
        yield pair
    finally:
        await pair.stop()
