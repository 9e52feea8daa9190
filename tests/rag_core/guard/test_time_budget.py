"""The time budget: one amount of time, shared by every call within its blocks."""

from __future__ import annotations

import asyncio

from rag_core.guard import TimeBudget, budget_left, spend


def test_outside_of_any_budget_a_call_has_its_default() -> None:
    spend(100)
    assert budget_left(0.05) == 0.05


def test_calls_share_what_there_is_over_several_blocks() -> None:
    budget = TimeBudget(1.0)
    with budget.applied():
        assert budget_left(99) == 1.0
        spend(0.25)
        assert budget_left(99) == 0.75
    spend(0.5)
    with budget.applied():
        assert budget_left(99) == 0.75
        spend(0.25)
    assert budget.left_s == 0.5
    assert budget_left(99) == 99


def test_what_is_overdrawn_leaves_nothing_and_no_debt() -> None:
    budget = TimeBudget(1.0)
    with budget.applied():
        spend(5)
        assert budget_left(99) == 0.0


def test_an_error_within_the_block_ends_it_all_the_same() -> None:
    try:
        with TimeBudget(1.0).applied():
            raise KeyError("broken")
    except KeyError:
        assert budget_left(99) == 99


def test_an_inner_budget_is_charged_in_place_of_the_outer() -> None:
    outer, inner = TimeBudget(1.0), TimeBudget(2.0)
    with outer.applied():
        with inner.applied():
            spend(0.5)
        spend(0.25)
    assert (outer.left_s, inner.left_s) == (0.75, 1.5)


async def test_tasks_begun_within_a_block_share_its_budget() -> None:
    budget = TimeBudget(1.0)

    async def call() -> None:
        await asyncio.sleep(0)
        spend(0.25)

    with budget.applied():
        await asyncio.gather(call(), asyncio.create_task(call()))
        assert budget_left(99) == 0.5


async def test_requests_at_once_do_not_charge_one_another() -> None:
    async def request(seconds: float) -> float:
        budget = TimeBudget(1.0)
        with budget.applied():
            await asyncio.sleep(0)
            spend(seconds)
            await asyncio.sleep(0)
            return budget_left(99)

    left = await asyncio.gather(request(0.25), request(0.5))
    assert list(left) == [0.75, 0.5]
    assert budget_left(99) == 99
