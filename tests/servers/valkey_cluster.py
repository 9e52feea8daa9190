"""Three Valkeys as a cluster, each with a replica where a test wants a fail-over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot

from tests.servers.valkey_node import PATIENCE_S, ValkeyNode, free_ports

PRIMARIES = 3

Known = dict[str, dict[str, Any]]
"""What a node says of each node that it knows, by address."""

# A node is taken for dead after a second; the others go on serving their slots.
_OPTIONS = {
    "--cluster-enabled": "yes",
    "--cluster-node-timeout": "1000",
    "--cluster-require-full-coverage": "no",
    "--cluster-replica-validity-factor": "0",
    "--repl-diskless-sync-delay": "0",
}


class ValkeyCluster:
    """All slots on three primaries; `replicas[i]`, if there are any, is that of `primaries[i]`."""

    def __init__(self, primaries: list[ValkeyNode], replicas: list[ValkeyNode]) -> None:
        self.primaries, self.replicas = primaries, replicas

    @property
    def nodes(self) -> list[ValkeyNode]:
        """All of them."""
        return [*self.primaries, *self.replicas]

    @property
    def url(self) -> str:
        """URL that names the primaries."""
        addresses = ",".join(node.address for node in self.primaries)
        return f"redis+cluster://{self.primaries[0].login}{addresses}"

    def owner(self, key: str) -> ValkeyNode:
        """The primary that a key was given to at first."""
        slot = key_slot(key.encode())
        return next(n for n, s in zip(self.primaries, _SHARES, strict=True) if slot in s)

    def key_on(self, node: ValkeyNode, *, prefix: str = "key") -> str:
        """A key that a primary was given at first."""
        keys = (f"{prefix}-{number}" for number in range(100_000))
        return next(key for key in keys if self.owner(key) is node)

    async def start(self) -> None:
        """Return once every node knows that all slots are served."""
        await asyncio.gather(*(node.start() for node in self.nodes))
        for number, (node, share) in enumerate(zip(self.primaries, _SHARES, strict=True), 1):
            async with node.client() as client:
                await client.execute_command("CLUSTER SET-CONFIG-EPOCH", number)
                await client.execute_command("CLUSTER ADDSLOTSRANGE", share[0], share[-1])
        await self._introduce()
        await self._replicate()

    async def move_slot(self, key: str, to: ValkeyNode) -> None:
        """Give a key's slot, which must be empty, to another primary, and tell all primaries."""
        owner = await _id_of(to)
        for node in (to, *(node for node in self.primaries if node is not to)):
            async with node.client() as client:
                slot = key_slot(key.encode())
                await client.execute_command("CLUSTER SETSLOT", slot, "NODE", owner)

    async def begin_moving(self, key: str, to: ValkeyNode) -> None:
        """Let a key's slot be on its way: its owner redirects whoever wants a key that it lacks."""
        source, slot = self.owner(key), key_slot(key.encode())
        async with to.client() as client:
            await client.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", await _id_of(source))
        async with source.client() as client:
            await client.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", await _id_of(to))

    async def fail_over(self, primary: ValkeyNode) -> None:
        """Have a primary's replica take its place; both live on."""
        replica = self.replicas[self.primaries.index(primary)]
        async with replica.client() as client:
            await client.execute_command("CLUSTER FAILOVER", "TAKEOVER")
        await self.until_promoted(replica)

    async def until_promoted(self, replica: ValkeyNode) -> None:
        """Return once a replica is a primary in the eyes of all nodes that answer."""
        own_id = await _id_of(replica)
        for node in self.nodes:
            if await node.answers():
                await _until(node, lambda known: _has_flag(known, own_id, "master"))

    async def stop(self) -> None:
        """End all nodes."""
        await asyncio.gather(*(node.stop() for node in self.nodes))

    async def _introduce(self) -> None:
        async with self.primaries[0].client() as client:
            for node in self.nodes[1:]:
                await client.execute_command("CLUSTER MEET", "127.0.0.1", node.port, node.bus_port)
        count = len(self.nodes)
        for node in self.nodes:
            await _until(node, lambda known: _ready(known, count))

    async def _replicate(self) -> None:
        for primary, replica in zip(self.primaries, self.replicas, strict=False):
            async with replica.client() as client:
                await client.execute_command("CLUSTER REPLICATE", await _id_of(primary))
        for replica in self.replicas:
            own_id = await _id_of(replica)
            for node in self.nodes:
                await _until(node, lambda known, own=own_id: _has_flag(known, own, "slave"))
            await replica.until_in_sync()


async def _id_of(node: ValkeyNode) -> str:
    async with node.client() as client:
        return str(await client.execute_command("CLUSTER MYID"))


async def _until(node: ValkeyNode, holds: Callable[[Known], bool]) -> None:
    """Return once a node serves its slots, and something holds for what it knows of the cluster."""
    async with asyncio.timeout(PATIENCE_S), node.client() as client:
        while True:
            state = (await client.execute_command("CLUSTER INFO"))["cluster_state"]
            if state == "ok" and holds(await client.execute_command("CLUSTER NODES")):
                return
            await asyncio.sleep(0.01)


def _ready(known: Known, count: int) -> bool:
    """Whether a node has met all others, and all slots have an owner."""
    served = sum(
        int(first_last[-1]) - int(first_last[0]) + 1
        for node in known.values()
        for first_last in node["slots"]
    )
    met = all("handshake" not in node["flags"] for node in known.values())
    return len(known) == count and met and served == REDIS_CLUSTER_HASH_SLOTS


def _has_flag(known: Known, node_id: str, flag: str) -> bool:
    return any(
        node["node_id"] == node_id and flag in node["flags"].split(",") for node in known.values()
    )


_SHARES = [
    range(
        number * REDIS_CLUSTER_HASH_SLOTS // PRIMARIES,
        (number + 1) * REDIS_CLUSTER_HASH_SLOTS // PRIMARIES,
    )
    for number in range(PRIMARIES)
]


@asynccontextmanager
async def valkey_cluster(
    home: Path, *, replicated: bool = False, password: str = ""
) -> AsyncIterator[ValkeyCluster]:
    """A cluster of three primaries below `home`, which may be empty, for the block's time."""
    count = 2 * PRIMARIES if replicated else PRIMARIES
    ports = free_ports(2 * count)
    nodes = [
        ValkeyNode(
            home / str(number),
            ports[2 * number],
            _OPTIONS,
            password=password,
            bus_port=ports[2 * number + 1],
        )
        for number in range(count)
    ]
    cluster = ValkeyCluster(nodes[:PRIMARIES], nodes[PRIMARIES:])
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()
