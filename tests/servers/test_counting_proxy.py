"""The proxy counts what clients wait for, and misbehaves as it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from rag_core.embedded import StackUrls
from tests.servers.counting_proxy import CountingProxy, counting_proxy
from tests.servers.proxy_route import route_to

Postgres = psycopg.AsyncConnection[tuple[object, ...]]


@pytest.fixture
async def before_postgres(stack: StackUrls) -> AsyncIterator[CountingProxy]:
    async with counting_proxy(stack.database_url) as proxy:
        yield proxy


@pytest.fixture
async def postgres(before_postgres: CountingProxy) -> AsyncIterator[Postgres]:
    """A connection through the proxy, whose own round trips are forgotten."""
    async with await psycopg.AsyncConnection.connect(before_postgres.url) as connection:
        before_postgres.round_trips = 0
        yield connection


@pytest.fixture
async def before_valkey(stack: StackUrls) -> AsyncIterator[CountingProxy]:
    async with counting_proxy(stack.redis_url) as proxy:
        yield proxy


@pytest.fixture
async def valkey(before_valkey: CountingProxy) -> AsyncIterator[Redis]:
    """A client that is connected already; nothing is tried twice."""
    async with Redis.from_url(before_valkey.url, retry=Retry(NoBackoff(), 0)) as client:
        await client.ping()
        before_valkey.round_trips = 0
        yield client


async def test_a_transaction_of_one_statement_takes_three_round_trips(
    before_postgres: CountingProxy, postgres: Postgres
) -> None:
    await postgres.execute("SELECT 1")
    await postgres.commit()
    assert before_postgres.round_trips == 3


async def test_a_transaction_in_a_pipeline_takes_one(
    before_postgres: CountingProxy, postgres: Postgres
) -> None:
    before_postgres.delay_s = 0.05  # no reply comes in between, however slow this machine is
    await postgres.set_autocommit(True)
    async with postgres.pipeline():
        await postgres.execute("BEGIN")
        cursor = await postgres.execute("SELECT 1")
        await postgres.execute("COMMIT")
    assert await cursor.fetchone() == (1,)
    assert before_postgres.round_trips == 1


async def test_statements_that_commit_by_themselves_take_one_each_and_preparing_one_more(
    before_postgres: CountingProxy, postgres: Postgres
) -> None:
    await postgres.set_autocommit(True)
    counts = []
    for _ in range(8):  # psycopg prepares what comes for the sixth time
        await postgres.execute("SELECT %s::int", (1,))
        counts.append(before_postgres.round_trips)
    assert counts == [1, 2, 3, 4, 5, 7, 8, 9]


async def test_a_reply_in_many_pieces_is_one_round_trip(
    before_postgres: CountingProxy, postgres: Postgres
) -> None:
    await postgres.set_autocommit(True)
    found = await postgres.execute("SELECT repeat('x', 5000000)")
    row = await found.fetchone()
    assert row is not None
    assert len(str(row[0])) == 5_000_000
    assert before_postgres.round_trips == 1


async def test_many_keys_in_one_command_take_one_round_trip(
    before_valkey: CountingProxy, valkey: Redis
) -> None:
    await valkey.mget("a", "b", "c")
    assert before_valkey.round_trips == 1


async def test_commands_in_a_pipeline_take_one_and_alone_one_each(
    before_valkey: CountingProxy, valkey: Redis
) -> None:
    async with valkey.pipeline(transaction=False) as pipe:
        await pipe.get("a").get("b").get("c").execute()
    assert before_valkey.round_trips == 1
    for key in "abc":
        await valkey.get(key)
    assert before_valkey.round_trips == 4


async def test_clients_at_the_same_time_count_on_their_own(before_valkey: CountingProxy) -> None:
    async with Redis.from_url(before_valkey.url, max_connections=8) as client:
        await asyncio.gather(*(client.ping() for _ in range(8)))
        opened = before_valkey.connections
        before_valkey.round_trips = 0
        await asyncio.gather(*(client.ping() for _ in range(8)))
    assert opened == 8
    assert before_valkey.round_trips == 8


async def test_a_delay_holds_back_each_reply(before_valkey: CountingProxy, valkey: Redis) -> None:
    before_valkey.delay_s = 0.05
    loop = asyncio.get_running_loop()
    began = loop.time()
    await valkey.ping()
    assert loop.time() - began >= 0.05


async def test_nothing_comes_while_it_is_frozen_and_all_of_it_afterwards(
    before_valkey: CountingProxy, valkey: Redis
) -> None:
    before_valkey.freeze()
    asked = asyncio.create_task(valkey.set("frozen", "late"))
    await asyncio.wait([asked], timeout=0.1)
    assert not asked.done()
    before_valkey.resume()
    assert await asked


async def test_a_server_acts_on_what_it_is_sent_while_only_replies_are_frozen(
    before_postgres: CountingProxy, postgres: Postgres, stack: StackUrls
) -> None:
    await postgres.set_autocommit(True)
    before_postgres.freeze_replies()
    asked = asyncio.create_task(postgres.execute("CREATE SEQUENCE acted"))
    async with await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as other:
        found: tuple[object, ...] | None = None
        while found is None:
            rows = await other.execute("SELECT 1 FROM pg_class WHERE relname = 'acted'")
            found = await rows.fetchone()
        assert not asked.done()
        before_postgres.resume()
        await asked
        await other.execute("DROP SEQUENCE acted")


async def test_a_cut_ends_connections_and_lets_new_ones_in(
    before_valkey: CountingProxy, valkey: Redis
) -> None:
    before_valkey.freeze()
    asked = asyncio.create_task(valkey.ping())
    await asyncio.wait([asked], timeout=0.05)
    before_valkey.cut()
    with pytest.raises(RedisConnectionError):
        await asked
    before_valkey.resume()
    assert await valkey.ping()


async def test_a_cut_is_a_lost_connection_to_postgres(
    before_postgres: CountingProxy, postgres: Postgres
) -> None:
    asked = asyncio.create_task(postgres.execute("SELECT pg_sleep(60)"))
    await asyncio.wait([asked], timeout=0.05)
    before_postgres.cut()
    with pytest.raises(psycopg.OperationalError):
        await asked


async def test_it_refuses_until_it_resumes(before_valkey: CountingProxy, valkey: Redis) -> None:
    before_valkey.refuse()
    with pytest.raises(RedisConnectionError):
        await valkey.ping()
    before_valkey.resume()
    assert await valkey.ping()


async def test_without_a_server_behind_it_clients_are_cut_off() -> None:
    async with (
        counting_proxy("unix:///nowhere/valkey.sock") as proxy,
        Redis.from_url(proxy.url, retry=Retry(NoBackoff(), 0)) as client,
    ):
        with pytest.raises(RedisConnectionError):
            await client.ping()
    assert proxy.round_trips == 0


@pytest.mark.parametrize(
    ("url", "through"),
    [
        ("postgresql://u:p@db:6432/rag?sslmode=disable", "postgresql://u:p@/rag?sslmode=disable&"),
        ("postgresql://u@/rag?host=/run/pg&port=6432", "postgresql://u@/rag?"),
    ],
)
def test_the_way_through_to_postgres_keeps_login_database_and_options(
    url: str, through: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("p")
    assert route_to(url).url(folder / ".s.PGSQL.5432") == f"{through}host={folder}"


def test_the_way_through_to_redis_keeps_login_and_database() -> None:
    for url, through in [
        ("redis://:p%40@cache:7000/2", "unix://:p%40@/s/redis.sock?db=2"),
        ("unix:///run/valkey.sock?db=3", "unix:///s/redis.sock?db=3"),
        ("unix:///run/valkey.sock", "unix:///s/redis.sock"),
    ]:
        assert route_to(url).url(Path("/s/redis.sock")) == through


def test_there_is_no_way_through_to_anything_else() -> None:
    with pytest.raises(ValueError, match="rediss"):
        route_to("rediss://cache")
