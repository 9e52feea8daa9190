"""One contract for the ledger, over the store in memory and the one on Redis."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.budget import UNKNOWN, Sums
from rag_core.clock import ManualClock
from rag_core.errors import BudgetExhausted
from tests.rag_core.budget.parts import BOAZ, NAOMI, RUTH, TTL_S, World, spent


async def test_what_is_settled_is_spent_in_the_store_and_in_the_book(world: World) -> None:
    ledger = world.process().ledger
    hold = await ledger.hold(RUTH, "1", 300)
    assert await world.sums(RUTH) == Sums(0, 300, 300)
    await ledger.settle(hold, spent(120))
    assert await world.sums(RUTH) == await world.sums() == Sums(120, 0, 0)
    assert await world.booked(RUTH) == await world.booked() == 120


async def test_settling_twice_changes_nothing(world: World) -> None:
    ledger = world.process().ledger
    hold = await ledger.hold(RUTH, "1", 300)
    for cost in (120, 120, 130):
        await ledger.settle(hold, spent(cost))
    assert await world.sums() == Sums(120, 0, 0)
    assert await world.booked() == 120


async def test_a_released_hold_leaves_no_trace_and_releasing_again_neither(world: World) -> None:
    ledger = world.process().ledger
    hold = await ledger.hold(RUTH, "1", 300, 200)
    assert await world.sums(RUTH) == Sums(0, 300, 200)
    await ledger.release(hold)
    await ledger.release(hold)
    assert await world.sums() == await world.sums(RUTH) == Sums()


async def test_a_users_cap_is_that_users_own(world: World) -> None:
    ledger = world.process().ledger
    await ledger.hold(RUTH, "1", 900)
    with pytest.raises(BudgetExhausted) as refused:
        await ledger.hold(RUTH, "2", 1)
    assert refused.value.scope == "user"
    await ledger.hold(BOAZ, "3", 900)
    assert await world.sums(BOAZ) == Sums(0, 900, 900)


async def test_the_cap_of_all_is_everyones(world: World) -> None:
    ledger = world.process().ledger
    await ledger.hold(RUTH, "1", 900)
    await ledger.hold(BOAZ, "2", 890)
    with pytest.raises(BudgetExhausted) as refused:
        await ledger.hold(NAOMI, "3", 11)
    assert refused.value.scope == "all"
    assert refused.value.retry_after_s == 43_200, "the day ends twelve hours after noon"


async def test_simultaneous_holds_never_pass_the_cap(world: World) -> None:
    ledgers = [world.process().ledger for _ in range(8)]
    await ledgers[0].hold(BOAZ, "first", 1)
    holds = (ledgers[n % 8].hold(RUTH, f"{n}", 100) for n in range(100))
    results = await asyncio.gather(*holds, return_exceptions=True)
    refused = [result for result in results if isinstance(result, BudgetExhausted)]
    assert len(results) - len(refused) == 9
    assert await world.sums(RUTH) == Sums(0, 900, 900)


async def test_near_the_cap_a_call_waits_for_those_that_are_expected_to_cost_less(
    world: World,
) -> None:
    """Its worst does not fit beside theirs; what is expected of all does, and they come in."""
    ledger = world.process().ledger
    first = await ledger.hold(RUTH, "1", 800, 100)
    with pytest.raises(BudgetExhausted):
        await ledger.hold(RUTH, "2", 200, 100)
    waiting = asyncio.create_task(ledger.hold(RUTH, "3", 200, 100))
    await asyncio.sleep(0)
    await ledger.settle(first, spent(100))
    assert (await waiting).nano_usd == 200


async def test_the_hold_of_a_dead_process_is_booked_as_it_was_held(world: World) -> None:
    """The provider may have charged for it, and nobody else knows what."""
    await world.process().ledger.hold(RUTH, "1", 300, 100)
    heir = world.process().ledger
    world.clock.advance(TTL_S - 1)
    await heir.sweep()
    assert await world.sums() == Sums(0, 300, 100)
    world.clock.advance(1)
    await heir.sweep()
    assert await world.sums() == Sums(300, 0, 0)
    (call,) = await world.costs.calls(world.today)
    assert (call.spent.provider, call.spent.nano_usd) == (UNKNOWN, 300)


async def test_an_expired_hold_is_reclaimed_by_the_next_one_without_a_sweeper(
    world: World,
) -> None:
    ledger = world.process().ledger
    await ledger.hold(RUTH, "1", 300, 100)
    world.clock.advance(TTL_S)
    await ledger.hold(RUTH, "2", 100, 100)
    assert await world.sums() == Sums(300, 100, 100)


@pytest.mark.parametrize("cost", [120, 400], ids=["less", "more than was held"])
async def test_a_call_settled_after_its_hold_expired_costs_what_it_cost(
    world: World, cost: int
) -> None:
    ledger = world.process().ledger
    hold = await ledger.hold(RUTH, "1", 300)
    world.clock.advance(TTL_S)
    await world.process().ledger.sweep()
    await ledger.settle(hold, spent(cost))
    assert await world.sums() == Sums(cost, 0, 0)
    assert await world.booked() == cost


async def test_a_call_that_was_settled_cannot_be_held_again(world: World) -> None:
    ledger = world.process().ledger
    await ledger.settle(await ledger.hold(RUTH, "1", 300), spent(120))
    with pytest.raises(ValueError, match="'1'"):
        await ledger.hold(RUTH, "1", 300)


async def test_a_hold_placed_again_is_held_once(world: World) -> None:
    """As after a reply that was lost."""
    ledger = world.process().ledger
    await ledger.hold(RUTH, "1", 300)
    await ledger.hold(RUTH, "1", 300)
    assert await world.sums() == Sums(0, 300, 300)


async def test_each_day_has_its_own_budget_and_a_call_costs_the_day_it_was_held_in(
    world: World,
) -> None:
    ledger = world.process().ledger
    yesterday = world.today
    late = await ledger.hold(RUTH, "1", 900)
    world.clock.advance(43_200)
    await ledger.hold(RUTH, "2", 900)
    await ledger.settle(late, spent(500))
    assert await world.sums() == Sums(0, 900, 900)
    assert (await world.costs.totals(yesterday)).nano_usd == 500


async def test_the_store_says_which_day_it_is(world: World) -> None:
    """A process whose clock is a day behind holds in the store's day."""
    behind = world.process(ManualClock(world.clock.now() - 86_400)).ledger
    hold = await behind.hold(RUTH, "1", 300)
    assert hold.day == world.today != behind.today()


async def test_the_share_of_the_budget_that_is_used(world: World) -> None:
    ledger = world.process().ledger
    assert await ledger.used_share(RUTH) == 0
    await ledger.hold(RUTH, "1", 450)
    assert await ledger.used_share(RUTH) == 0.5
    await ledger.hold(BOAZ, "2", 900)
    assert await ledger.used_share(BOAZ) == 1.0
    assert await ledger.used_share(RUTH) == 0.75, "everyone's share is the larger one"
