"""What a first look at a Redis tells, over a real server in every state that it can be in."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from rag_core.adapters.redis import health
from rag_core.domain import Level
from rag_core.embedded import OwnValkey
from rag_core.errors import CacheUnavailable


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[OwnValkey]:
    async with OwnValkey(tmp_path / "home") as server:
        yield server


async def set_up(valkey: OwnValkey, **settings: str) -> None:
    async with Redis.from_url(valkey.url) as client:
        for name, value in settings.items():
            await client.config_set(name.replace("_", "-"), value)


async def look(url: str) -> list[tuple[Level, str, str]]:
    return [(found.level, found.text, found.fix) for found in await health.examine(url)]


async def test_the_embedded_server_is_well(valkey: OwnValkey) -> None:
    found = await look(valkey.url)
    assert {level for level, _, _ in found} == {Level.OK}
    assert found[0][1].startswith("Valkey 9")
    assert "allkeys-lru" in found[-1][1]


async def test_a_full_cache_that_gives_up_no_keys_is_warned_of(valkey: OwnValkey) -> None:
    await set_up(valkey, maxmemory_policy="noeviction")
    level, text, fix = (await look(valkey.url))[-1]
    assert (level, "noeviction" in text, "allkeys-lru" in fix) == (Level.WARN, True, True)
    await set_up(valkey, maxmemory="1mb")
    level, text, fix = (await look(valkey.url))[1]
    assert (level, "takes no writes" in text, "full" in fix) == (Level.FAIL, True, True)


async def test_memory_without_a_limit_is_warned_of(valkey: OwnValkey) -> None:
    await set_up(valkey, maxmemory="0")
    level, text, _ = (await look(valkey.url))[-1]
    assert (level, "no limit" in text) == (Level.WARN, True)


async def test_a_replica_takes_no_writes(valkey: OwnValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        await client.replicaof("127.0.0.1", "1")
    level, _, fix = (await look(valkey.url))[1]
    assert (level, "primary" in fix) == (Level.FAIL, True)


async def test_a_wrong_password_is_told_and_not_shown(valkey: OwnValkey) -> None:
    await set_up(valkey, requirepass="r1ght-0ne")
    right = f"{valkey.url}?password=r1ght-0ne"
    assert (await look(right))[0][0] is Level.OK
    for wrong in (valkey.url, right.replace("r1ght", "wr0ng")):
        with pytest.raises(CacheUnavailable, match="Check user, password") as raised:
            await look(wrong)
        assert "wr0ng" not in str(raised.value)


async def test_nothing_listens(unused_tcp_port: int) -> None:
    with pytest.raises(CacheUnavailable, match="Check host and port") as raised:
        await look(f"redis://:secret@127.0.0.1:{unused_tcp_port}/0")
    assert str(unused_tcp_port) in str(raised.value)
    assert "secret" not in str(raised.value)


async def test_nothing_stays_behind(valkey: OwnValkey) -> None:
    await look(valkey.url)
    async with Redis.from_url(valkey.url) as client:
        assert all([0 < await client.pttl(key) <= 1000 for key in await client.keys()])
        assert len(await client.client_list()) == 1
