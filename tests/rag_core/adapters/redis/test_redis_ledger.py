"""What only a real server does to a ledger: it restarts with old data, or forgets its scripts."""

from __future__ import annotations

import pytest
from redis.crc import key_slot

from rag_core.adapters.redis import RedisClient, open_client, primaries
from rag_core.budget import Sums
from rag_core.embedded import OwnValkey
from rag_core.errors import BudgetExhausted
from tests.rag_core.adapters.redis.scenes import keys_of
from tests.rag_core.budget.parts import BOAZ, RUTH, TTL_S, redis_world, spent
from tests.rag_core.cache.parts import PATIENCE_S


async def test_a_server_that_comes_back_with_old_data_is_not_believed(valkey: OwnValkey) -> None:
    """Its snapshot knows nothing of the last calls: the day is closed, then made whole."""
    async with open_client(valkey.url, call_timeout_s=PATIENCE_S) as client:
        world = redis_world(client)
        before = world.process().ledger
        await before.settle(await before.hold(RUTH, "1", 300), spent(200))
        await client.execute("SAVE")
        await before.settle(await before.hold(RUTH, "2", 600), spent(600))
        await valkey.kill()
    await valkey.start()
    async with open_client(valkey.url, call_timeout_s=PATIENCE_S) as client:
        after = redis_world(client, world.clock)
        after.costs = world.costs
        assert await after.sums(RUTH) == Sums(200, 0, 0), "the snapshot is older than the loss"
        ledger = after.process().ledger
        with pytest.raises(BudgetExhausted):
            await ledger.hold(RUTH, "3", 1)
        world.clock.advance(TTL_S)
        await ledger.hold(RUTH, "4", 100)
        assert await after.sums(RUTH) == Sums(800, 100, 100)


async def forget_scripts(client: RedisClient) -> None:
    for server in await primaries(client.driver):
        await server.script_flush()


async def test_scripts_that_the_server_forgot_are_sent_again(client: RedisClient) -> None:
    world = redis_world(client)
    await forget_scripts(client)
    ledger = world.process().ledger
    hold = await ledger.hold(RUTH, "1", 300)
    await forget_scripts(client)
    await ledger.settle(hold, spent(120))
    assert await world.sums(RUTH) == Sums(120, 0, 0)


async def test_all_keys_of_a_day_are_in_one_slot(client: RedisClient) -> None:
    world = redis_world(client)
    ledger = world.process().ledger
    await ledger.hold(RUTH, "1", 300)
    process = world.process()
    process.costs.away = True
    await process.ledger.settle(await process.ledger.hold(BOAZ, "2", 300), spent(120))
    keys = await keys_of(client, f"rag:{{ledger:{world.today}}}:*")
    assert len(keys) == 3
    assert len({key_slot(key.encode()) for key in keys}) == 1
    for key in keys:
        assert int(await client.execute("PTTL", key)) > 0, "kept for ever"


async def test_large_sums_are_exact(client: RedisClient) -> None:
    """Nine million dollars and a billionth: the script language has doubles only."""
    world = redis_world(client)
    world.caps = type(world.caps)(user=2**53 - 1, all=2**53 - 1)
    ledger = world.process().ledger
    await ledger.settle(await ledger.hold(RUTH, "1", 2**52 + 1), spent(2**52 + 1))
    await ledger.hold(RUTH, "2", 3)
    assert await world.sums() == Sums(2**52 + 1, 3, 3)
