"""Servers that are away or lost: what is still paid, and what is known afterwards."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.budget import MAX_PENDING, Caps, Sums
from rag_core.errors import BudgetExhausted, ConfigurationError
from tests.rag_core.budget.parts import BOAZ, CAPS, RUTH, TTL_S, World, memory_world, spent


@pytest.fixture
def world() -> World:
    return memory_world()


async def test_while_redis_is_away_a_process_spends_its_allowance_and_no_more(
    world: World,
) -> None:
    process = world.process()
    await process.ledger.hold(BOAZ, "0", 1)
    process.store.away = True
    first = await process.ledger.hold(RUTH, "1", 50)
    with pytest.raises(BudgetExhausted) as refused:
        await process.ledger.hold(RUTH, "2", 1)
    assert refused.value.scope == "process"
    await process.ledger.settle(first, spent(20))
    await process.ledger.settle(first, spent(20))
    await process.ledger.hold(RUTH, "3", 30)
    with pytest.raises(BudgetExhausted):
        await process.ledger.hold(RUTH, "4", 1)
    process.store.away = False
    for _ in range(2):
        await process.ledger.sweep()
    assert (await world.sums(RUTH)).spent == await world.booked(RUTH) == 20


async def test_a_process_that_redis_never_saw_has_no_allowance(world: World) -> None:
    """Else one that is started again and again would have a new one each time."""
    process = world.process()
    process.store.away = True
    with pytest.raises(BudgetExhausted):
        await process.ledger.hold(RUTH, "1", 1)


async def test_a_day_has_as_many_allowances_as_are_kept_back_for(world: World) -> None:
    processes = [world.process() for _ in range(CAPS.processes + 1)]
    for n, process in enumerate(processes):
        await process.ledger.hold(BOAZ, f"{n}", 1)
        process.store.away = True
    held = await asyncio.gather(
        *(process.ledger.hold(RUTH, "a", 50) for process in processes), return_exceptions=True
    )
    assert [isinstance(each, BudgetExhausted) for each in held] == [False, False, True]


async def test_an_allowance_that_was_not_used_is_given_back(world: World) -> None:
    for n in range(CAPS.processes + 1):
        process = world.process()
        await process.ledger.hold(RUTH, f"{n}", 1)
        await process.ledger.aclose()
    process.store.away = True
    last = world.process()
    await last.ledger.hold(RUTH, "last", 1)
    last.store.away = True
    await last.ledger.hold(RUTH, "allowed", 1)


def test_allowances_beyond_the_cap_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="RAG_BUDGET_ALLOWANCE_USD"):
        Caps(user=10, all=100, allowance=51, processes=2)


async def test_a_budget_of_nothing_pays_nothing() -> None:
    world = memory_world()
    world.caps = Caps(user=0, all=0, allowance=100, processes=2)
    process = world.process()
    for away in (False, True):
        process.store.away = away
        with pytest.raises(BudgetExhausted):
            await process.ledger.hold(RUTH, "1", 1)


async def test_what_was_settled_while_postgres_was_away_is_booked_by_another_process(
    world: World,
) -> None:
    dying = world.process()
    hold = await dying.ledger.hold(RUTH, "1", 300)
    dying.costs.away = True
    await dying.ledger.settle(hold, spent(120))
    assert await world.sums(RUTH) == Sums(120, 0, 0)
    world.clock.advance(6)
    await world.process().ledger.sweep()
    (call,) = await world.costs.calls(world.today)
    assert call.spent == spent(120)


async def test_what_was_settled_while_both_were_away_is_kept_until_one_is_back(
    world: World,
) -> None:
    process = world.process()
    hold = await process.ledger.hold(RUTH, "1", 300)
    process.costs.away = process.store.away = True
    await process.ledger.settle(hold, spent(120))
    process.costs.away = process.store.away = False
    await process.ledger.sweep()
    assert (await world.sums(RUTH)).spent == await world.booked() == 120


async def test_with_too_much_that_nobody_else_knows_no_more_is_spent() -> None:
    world = memory_world()
    world.caps = Caps(user=10_000, all=10_000)
    process = world.process()
    holds = [await process.ledger.hold(RUTH, f"{n}", 1) for n in range(MAX_PENDING)]
    process.costs.away = process.store.away = True
    for hold in holds:
        await process.ledger.settle(hold, spent(1))
    process.store.away = False
    with pytest.raises(BudgetExhausted) as refused:
        await process.ledger.hold(RUTH, "more", 1)
    assert refused.value.scope == "process"


async def test_a_day_that_redis_lost_is_closed_until_all_held_before_has_ended(
    world: World,
) -> None:
    process, other = world.process(), world.process()
    hold = await process.ledger.hold(RUTH, "1", 800)
    await world.lose()
    for ledger in (process.ledger, other.ledger, world.process().ledger):
        with pytest.raises(BudgetExhausted):
            await ledger.hold(RUTH, "2", 200)
    await process.ledger.settle(hold, spent(800))
    world.clock.advance(TTL_S)
    with pytest.raises(BudgetExhausted) as refused:
        await other.ledger.hold(RUTH, "3", 200)
    assert refused.value.scope == "user", "what was spent before the loss is known again"
    await other.ledger.hold(RUTH, "4", 100)
    assert await world.sums(RUTH) == Sums(800, 100, 100)


async def test_allowances_from_before_a_loss_are_the_only_ones_of_that_day(world: World) -> None:
    old = world.process()
    await old.ledger.hold(RUTH, "0", 1)
    await world.lose()
    allowed = await old.ledger.hold(RUTH, "1", 50)
    assert allowed.allowed, "closed is as good as away"
    await old.ledger.release(allowed)
    with pytest.raises(BudgetExhausted):
        await old.ledger.hold(RUTH, "2", 60)
    world.clock.advance(TTL_S)
    new = world.process()
    await new.ledger.hold(RUTH, "3", 1)
    new.store.away = True
    with pytest.raises(BudgetExhausted):
        await new.ledger.hold(RUTH, "4", 1)


async def test_many_may_come_first_in_a_new_day(world: World) -> None:
    ledgers = [world.process().ledger for _ in range(4)]
    holds = (ledgers[n % 4].hold(BOAZ, f"{n}", 1) for n in range(40))
    assert len(await asyncio.gather(*holds)) == 40


async def test_a_reply_that_was_lost_holds_nothing_for_long(world: World) -> None:
    process = world.process()
    process.store.reply_lost = True
    with pytest.raises(BudgetExhausted):
        await process.ledger.hold(RUTH, "1", 900)
    process.store.reply_lost = False
    await world.process().ledger.hold(BOAZ, "2", 1)
    await process.ledger.sweep()
    assert await world.sums(RUTH) == Sums()


async def test_a_guess_that_was_corrected_while_redis_was_away_is_corrected_there_later(
    world: World,
) -> None:
    process = world.process()
    hold = await process.ledger.hold(RUTH, "1", 300)
    world.clock.advance(TTL_S)
    await world.process().ledger.sweep()
    process.store.away = True
    await process.ledger.settle(hold, spent(120))
    assert (await world.sums()).spent == 300
    sweeping = world.process().ledger
    for _ in range(2):
        await sweeping.sweep()
    assert (await world.sums()).spent == await world.booked() == 120
