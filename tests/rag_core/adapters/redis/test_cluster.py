"""A cluster whose slots move and whose nodes die, freeze and take each other's place."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from redis.exceptions import ConnectionError, RedisError, ResponseError

from rag_core.adapters.redis import ClusterClient, open_driver, owners_of_slots
from tests.rag_core.embedded.processes import eventually
from tests.servers.valkey_cluster import ValkeyCluster, valkey_cluster
from tests.servers.valkey_node import ValkeyNode


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[ValkeyCluster]:
    async with valkey_cluster(tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def replicated(tmp_path: Path) -> AsyncIterator[ValkeyCluster]:
    async with valkey_cluster(tmp_path, replicated=True) as cluster:
        yield cluster


@asynccontextmanager
async def client_of(cluster: ValkeyCluster) -> AsyncIterator[ClusterClient]:
    client = open_driver(cluster.url, max_connections=4, connect_timeout_s=1.0)
    assert isinstance(client, ClusterClient)
    try:
        yield client
    finally:
        await client.aclose()


async def answered(client: ClusterClient, key: str) -> bool:
    """Whether a key can be written within a request's time for Redis."""
    try:
        async with asyncio.timeout(0.05):
            return bool(await client.set(key, b"value"))
    except (RedisError, TimeoutError):
        return False


async def answered_by(client: ClusterClient, key: str, node: ValkeyNode) -> bool:
    """Whether a key can be written, and the client knows that a certain node owns slots."""
    owners = await client.primaries()
    known = {owner.get_connection_kwargs()["port"] for owner in owners}
    return await answered(client, key) and node.port in known


async def statistic(node: ValkeyNode, section: str, name: str) -> object:
    async with node.client() as client:
        return (await client.info(section)).get(name)


async def has_clients(node: ValkeyNode, count: int) -> bool:
    """Whether so many connections are open, beside the one that asks."""
    found = await statistic(node, "clients", "connected_clients")
    return isinstance(found, int) and found > count


async def test_a_moved_slot_is_followed_once_and_then_known(cluster: ValkeyCluster) -> None:
    old, new = cluster.primaries[0], cluster.primaries[1]
    key = cluster.key_on(old)
    async with client_of(cluster) as client:
        assert await client.get(key) is None
        await cluster.move_slot(key, new)
        assert await client.set(key, b"there")

        async def known() -> bool:
            before = await statistic(old, "errorstats", "errorstat_MOVED")
            assert await client.get(key) == b"there"
            return await statistic(old, "errorstats", "errorstat_MOVED") == before

        await eventually(known)
        assert await known()


async def test_a_slot_on_its_way_is_looked_for_where_it_goes(cluster: ValkeyCluster) -> None:
    source, target = cluster.primaries[0], cluster.primaries[1]
    key = cluster.key_on(source)
    async with client_of(cluster) as client:
        await cluster.begin_moving(key, target)
        assert await client.set(key, b"new keys go to the target")
        assert await client.get(key) == b"new keys go to the target"
        before = await statistic(source, "errorstats", "errorstat_ASK")
        await client.get(key)
        assert await statistic(source, "errorstats", "errorstat_ASK") != before, "asked first"


async def test_a_dead_node_costs_only_those_whose_keys_it_has(cluster: ValkeyCluster) -> None:
    dead, *alive = cluster.primaries
    keys = [cluster.key_on(node) for node in alive]
    async with client_of(cluster) as client:
        for key in (cluster.key_on(dead), *keys):
            assert await client.set(key, b"value")
        await dead.kill()
        connections = [
            await statistic(node, "stats", "total_connections_received") for node in alive
        ]
        for _ in range(50):
            with pytest.raises(ConnectionError):
                await client.get(cluster.key_on(dead))
            assert [await client.get(key) for key in keys] == [b"value", b"value"]
        for node, before in zip(alive, connections, strict=True):
            opened = await statistic(node, "stats", "total_connections_received")
            assert isinstance(opened, int)
            assert isinstance(before, int)
            # One is this question's own, one may be the background's for the slots.
            assert opened - before <= 2
        await dead.start()
        await eventually(lambda: answered(client, cluster.key_on(dead)))


async def test_a_frozen_node_keeps_nobody_else_waiting_and_gives_no_late_reply(
    cluster: ValkeyCluster,
) -> None:
    cold, warm = cluster.primaries[0], cluster.primaries[1]
    async with client_of(cluster) as client:
        mine = [f"{{{cluster.key_on(cold)}}}:{number}" for number in range(8)]
        for key in (*mine, cluster.key_on(warm)):
            assert await client.set(key, key)
        with cold.frozen():
            for key in mine:
                assert not await answered(client, key)
                assert await client.get(cluster.key_on(warm)) == cluster.key_on(warm).encode()
        for key in mine:
            await eventually(lambda key=key: answered(client, key))
        for key in mine:
            await client.set(key, key)
            assert await client.get(key) == key.encode()


async def test_a_replica_in_a_primarys_place_is_found(replicated: ValkeyCluster) -> None:
    primary = replicated.primaries[0]
    async with client_of(replicated) as client:
        key = replicated.key_on(primary)
        assert await client.set(key, b"value")
        await replicated.fail_over(primary)
        await eventually(lambda: answered_by(client, key, replicated.replicas[0]))


async def test_who_takes_a_frozen_nodes_place_is_found(replicated: ValkeyCluster) -> None:
    """Its connections never break, so nothing but waiting in vain tells that it is gone."""
    primary = replicated.primaries[0]
    async with client_of(replicated) as client:
        key = replicated.key_on(primary)
        assert await client.set(key, b"value")
        with primary.frozen():
            await eventually(lambda: answered_by(client, key, replicated.replicas[0]))


async def test_one_node_that_answers_is_enough_to_begin_with(cluster: ValkeyCluster) -> None:
    first, second, third = cluster.primaries
    await first.kill()
    async with client_of(cluster) as client:
        with second.frozen():
            assert await client.get(cluster.key_on(third)) is None


async def test_pings_open_the_connections_to_every_node(cluster: ValkeyCluster) -> None:
    async with client_of(cluster) as client:
        assert await asyncio.gather(*(client.ping() for _ in range(4))) == [True] * 4
        for node in cluster.primaries:
            await eventually(lambda node=node: has_clients(node, 4))


async def test_a_ping_is_answered_while_one_node_is_frozen(cluster: ValkeyCluster) -> None:
    async with client_of(cluster) as client:
        assert await client.ping()
        for node in cluster.primaries:
            with node.frozen():
                for _ in range(20):
                    assert await client.ping()


async def test_a_ping_fails_when_no_node_answers(cluster: ValkeyCluster) -> None:
    async with client_of(cluster) as client:
        assert await client.ping()
        for node in cluster.primaries:
            await node.kill()
        with pytest.raises(ConnectionError):
            await client.ping()
        for node in cluster.primaries:
            await node.start()
        await eventually(lambda: answered(client, "key"))


async def test_nothing_is_under_way_after_a_client_is_closed(cluster: ValkeyCluster) -> None:
    before = asyncio.all_tasks()
    async with client_of(cluster) as client:
        assert await client.ping()
        with cluster.primaries[0].frozen():
            rested = (
                asyncio.get_running_loop().time() + 0.3
            )  # till it would ask for the slots again
            while asyncio.get_running_loop().time() < rested:
                assert await client.ping()
            await client.aclose()
            assert asyncio.all_tasks() == before


async def test_a_command_without_a_key_is_refused(cluster: ValkeyCluster) -> None:
    async with client_of(cluster) as client:
        with pytest.raises(ValueError, match="DBSIZE names no key"):
            await client.dbsize()


def commands_sent() -> set[str]:
    """Each command that an adapter sends by name."""
    return {
        str(call.args[0].value)
        for path in Path(inspect.getfile(ClusterClient)).parent.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr == "execute" and call.args and isinstance(call.args[0], ast.Constant)
    }


async def test_every_command_that_the_adapters_send_finds_its_node(cluster: ValkeyCluster) -> None:
    commands = commands_sent()
    assert {"GET", "EVALSHA", "ZRANGE"} <= commands
    async with client_of(cluster) as client:
        for command in sorted(commands):
            with suppress(ResponseError):  # of the node, which was found
                await client.execute_command(command, "key", "key", "key")


async def test_a_server_that_is_no_cluster_is_told_from_one_that_is_down(redis_url: str) -> None:
    alone = open_driver(redis_url, max_connections=1, connect_timeout_s=1.0)
    assert not isinstance(alone, ClusterClient)
    client = ClusterClient([("here", 1)], lambda address: alone, patience_s=1.0)
    with pytest.raises(ConnectionError, match="cluster support disabled"):
        await client.get("key")
    await client.aclose()


def test_a_node_without_a_host_is_the_one_that_was_asked() -> None:
    owners = owners_of_slots(
        [[0, 9, [b"", 7000, b"id"]], [10, 16382, [b"two", 7001, b"id"], [b"three", 7002, b"id"]]],
        asked=("one", 7000),
    )
    assert owners[9] == ("one", 7000)
    assert owners[10] == ("two", 7001)
    assert owners[16383] is None
