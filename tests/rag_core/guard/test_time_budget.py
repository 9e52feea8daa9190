"""The allowance: one amount of time, shared by every call within its blocks."""

from __future__ import annotations

import asyncio

from rag_core.guard.allowance import Allowance, has_failed, note_failure, seconds_left, spend


def test_outside_of_any_allowance_a_call_has_its_default() -> None:
    spend(100)
    assert seconds_left(0.05) == 0.05


def test_calls_share_what_there_is_over_several_blocks() -> None:
    allowance = Allowance(1.0)
    with allowance.applied():
        assert seconds_left(99) == 1.0
        spend(0.25)
        assert seconds_left(99) == 0.75
    spend(0.5)
    with allowance.applied():
        assert seconds_left(99) == 0.75
        spend(0.25)
    assert allowance.left_s == 0.5
    assert seconds_left(99) == 99


def test_what_is_overdrawn_leaves_nothing_and_no_debt() -> None:
    allowance = Allowance(1.0)
    with allowance.applied():
        spend(5)
        assert seconds_left(99) == 0.0


def test_an_error_within_the_block_ends_it_all_the_same() -> None:
    try:
        with Allowance(1.0).applied():
            raise KeyError("broken")
    except KeyError:
        assert seconds_left(99) == 99


def test_an_inner_allowance_is_charged_in_place_of_the_outer() -> None:
    outer, inner = Allowance(1.0), Allowance(2.0)
    with outer.applied():
        with inner.applied():
            spend(0.5)
        spend(0.25)
    assert (outer.left_s, inner.left_s) == (0.75, 1.5)


def test_a_failure_is_remembered_by_the_request_it_happened_to() -> None:
    note_failure()
    assert not has_failed()
    hit, spared = Allowance(1.0), Allowance(1.0)
    with hit.applied():
        note_failure()
    with spared.applied():
        assert not has_failed()
    with hit.applied():
        assert has_failed()


async def test_tasks_begun_within_a_block_share_its_allowance() -> None:
    allowance = Allowance(1.0)

    async def call() -> None:
        await asyncio.sleep(0)
        spend(0.25)

    with allowance.applied():
        await asyncio.gather(call(), asyncio.create_task(call()))
        assert seconds_left(99) == 0.5


async def test_requests_at_once_do_not_charge_one_another() -> None:
    async def request(seconds: float) -> float:
        allowance = Allowance(1.0)
        with allowance.applied():
            await asyncio.sleep(0)
            spend(seconds)
            await asyncio.sleep(0)
            return seconds_left(99)

    left = await asyncio.gather(request(0.25), request(0.5))
    assert list(left) == [0.75, 0.5]
    assert seconds_left(99) == 99
