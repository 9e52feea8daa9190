"""Cancelling: who loses a cancellation ends by the next one."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from rag_core.cancelling import cancel_for_good


class Deaf:
    """Waits for ever; loses the first cancellations, as `asyncio.wait_for` of Python 3.11 may."""

    def __init__(self, losses: int) -> None:
        self.losses = losses
        self.cleaned_up = False

    async def wait(self) -> None:
        try:
            for _ in range(self.losses):
                with suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()
            await asyncio.Event().wait()
        finally:
            self.cleaned_up = True


@pytest.mark.parametrize("losses", [0, 1, 3])
async def test_a_task_that_loses_a_cancellation_ends_by_a_later_one(losses: int) -> None:
    deaf, hearing = Deaf(losses), Deaf(0)
    tasks = [asyncio.create_task(each.wait()) for each in (deaf, hearing)]
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await cancel_for_good(*tasks, again_s=0.001)
    assert all(task.cancelled() for task in tasks)
    assert deaf.cleaned_up


async def test_a_task_that_cleans_up_in_its_time_is_not_cancelled_again() -> None:
    cleaned_up = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(20):
                await asyncio.sleep(0)
            cleaned_up.set()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    await cancel_for_good(task)
    assert cleaned_up.is_set()


async def test_what_a_task_raises_is_not_raised_here_and_nothing_to_cancel_is_fine() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    await cancel_for_good(task)
    await cancel_for_good()
    assert isinstance(task.exception(), ValueError)
