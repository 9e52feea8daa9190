"""The sweeper books what dead processes left, and tells what is left when its process ends."""

from __future__ import annotations

import asyncio

from rag_core.budget import swept
from tests.rag_core.budget.parts import RUTH, TTL_S, memory_world, spent


async def test_a_dead_process_is_swept_by_another_within_a_minute() -> None:
    world = memory_world()
    await world.process().ledger.hold(RUTH, "1", 300)
    began = world.clock.now()
    async with swept(world.process().ledger, clock=world.clock):
        while not await world.booked():  # noqa: ASYNC110 - the sweeper moves the clock itself
            await asyncio.sleep(0)
    assert TTL_S <= world.clock.now() - began <= 60


async def test_what_is_left_is_booked_when_the_process_ends() -> None:
    world = memory_world()
    process = world.process()
    async with swept(process.ledger, clock=world.clock):
        hold = await process.ledger.hold(RUTH, "1", 300)
        process.costs.away = True
        await process.ledger.settle(hold, spent(120))
        process.costs.away = False
    assert await world.booked() == 120
