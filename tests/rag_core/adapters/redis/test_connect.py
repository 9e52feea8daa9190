"""What every kind of Redis does for us, over one server, a cluster and a watched pair."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from redis.exceptions import ConnectionError

from rag_core.adapters.redis import Driver, open_driver, primaries
from tests.servers.valkey_cluster import valkey_cluster
from tests.servers.valkey_node import free_ports
from tests.servers.valkey_sentinel import watched_pair

USERS = [f"user-{number}" for number in range(30)]
PASSWORD = "s3c/r3t@ #"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cluster_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    home = tmp_path_factory.mktemp("cluster")
    async with valkey_cluster(home, password=PASSWORD) as cluster:
        yield cluster.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def watched_url(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    async with watched_pair(tmp_path_factory.mktemp("pair"), password=PASSWORD) as pair:
        yield f"{pair.url}/2"


@pytest.fixture(params=["redis_url", "cluster_url", "watched_url"])
def url(request: pytest.FixtureRequest) -> str:
    """URL of each kind of Redis."""
    found: str = request.getfixturevalue(request.param)
    return found


@pytest.fixture
async def client(url: str) -> AsyncIterator[Driver]:
    """A client with few connections."""
    client = open_driver(url, max_connections=4, connect_timeout_s=5.0)
    yield client
    await client.aclose()


async def test_many_at_once_take_turns_and_each_has_the_reply_to_its_own_command(
    client: Driver,
) -> None:
    keys = {f"rag:{{{user}}}:test:turns": user.encode() for user in USERS}
    await asyncio.gather(*(client.set(key, value, px=60_000) for key, value in keys.items()))
    for _ in range(5):
        assert await asyncio.gather(*map(client.get, keys)) == list(keys.values())


async def test_calls_that_are_cancelled_leave_their_connections_to_others(client: Driver) -> None:
    """Cancelled while it waits for a connection, for its reply, or just when it has both."""
    key = "rag:{user}:test:cancelled"
    await client.set(key, b"value", px=60_000)
    for turns in range(8):
        calls = [asyncio.create_task(client.get(key)) for _ in range(12)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for call in calls[::2]:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        assert [await call for call in calls[1::2]] == [b"value"] * 6


async def test_every_command_works_for_every_user(client: Driver) -> None:
    assert await client.ping()
    for user in USERS:
        key, other = f"rag:{{{user}}}:test:commands", f"rag:{{{user}}}:test:other"
        await client.unlink(key, other)
        assert await client.set(key, b"first", px=60_000, nx=True, get=True) is None
        assert await client.set(key, b"second", px=60_000, nx=True, get=True) == b"first"
        assert await client.set(key, b"third", px=60_000)
        assert await client.get(key) == b"third"
        assert await client.mget(key, other) == [b"third", None]
        assert await client.strlen(key) == 5
        script = "return redis.call('GET', KEYS[1]) .. ARGV[1]"
        assert await client.eval(script, 1, key, "!") == b"third!"
        assert await client.unlink(key) == 1
        assert await client.get(key) is None


async def test_all_keys_are_found_over_all_primaries(client: Driver) -> None:
    for user in USERS:
        await client.set(f"rag:{{{user}}}:scan:key", user, px=60_000)
    found: dict[bytes, int] = {}
    for node in await primaries(client):
        assert await node.dbsize() > 0
        keys = [key async for key in node.scan_iter("rag:{*}:scan:*", count=1000)]
        pipe = node.pipeline(transaction=False)
        for key in keys:
            pipe.strlen(key)
        found |= dict(zip(keys, await pipe.execute(), strict=True))
    assert found == {f"rag:{{{user}}}:scan:key".encode(): len(user) for user in USERS}


async def test_a_reply_that_comes_too_late_is_never_taken_for_another(client: Driver) -> None:
    """Calls are ended everywhere between their first byte and their last."""
    values = {f"rag:{{{user}}}:test:late": user.encode() * 40_000 for user in USERS[:10]}
    for key, value in values.items():
        await client.set(key, value, px=60_000)
    ended = 0
    for turn in range(60):
        for key, value in values.items():
            try:
                async with asyncio.timeout(0.00003 * turn):
                    assert await client.get(key) == value
            except TimeoutError:
                ended += 1
    assert ended, "no call was too late: the test shows nothing"
    for key, value in values.items():
        assert await client.get(key) == value


async def test_who_finds_no_free_connection_waits_for_one(client: Driver) -> None:
    key = "rag:{user}:test:many"
    await client.set(key, b"here", px=60_000)
    assert await asyncio.gather(*(client.get(key) for _ in range(64))) == [b"here"] * 64


@pytest.mark.parametrize(
    "form",
    ["redis://{}", "redis+cluster://{}", "redis+sentinel://{}/notes"],
)
async def test_where_nobody_answers_one_attempt_is_all(form: str) -> None:
    attempts = 0

    def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    (port,) = free_ports(1)
    client = open_driver(form.format(f"127.0.0.1:{port}"), max_connections=4, connect_timeout_s=5.0)
    async with await asyncio.start_server(hang_up, "127.0.0.1", port):
        with pytest.raises(ConnectionError):
            await client.get("key")
    assert attempts == 1
    await client.aclose()
