"""Clocks: one that stands still until told, and the machine's."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise

import pytest

from rag_core.clock import ManualClock, SystemClock, recurring


def test_a_manual_clock_moves_only_when_advanced() -> None:
    clock = ManualClock(start_s=100.0)
    assert clock.now() == clock.monotonic() == 100.0
    clock.advance(2.5)
    assert clock.now() == clock.monotonic() == 102.5


async def test_sleeping_on_a_manual_clock_moves_it_at_once() -> None:
    clock = ManualClock(start_s=0.0)
    await clock.sleep(3_600)
    assert clock.now() == 3_600


def test_a_manual_clock_never_goes_back() -> None:
    with pytest.raises(ValueError, match="must be >= 0, got -1"):
        ManualClock().advance(-1)


async def test_the_system_clock_is_the_machines() -> None:
    clock = SystemClock()
    before = time.time()
    assert before <= clock.now() <= time.time()
    start = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= start


async def test_what_recurs_is_done_at_once_and_on_time_and_ends_with_its_block() -> None:
    clock, done = ManualClock(start_s=0.0), asyncio.Event()
    times: list[float] = []

    async def look() -> None:
        times.append(clock.now())
        if len(times) == 3:
            done.set()
            await asyncio.Event().wait()

    async with recurring("looks", look, 10.0, clock):
        await done.wait()
    assert times[0] == 0
    assert all(8 <= after - before <= 10 for before, after in pairwise(times))


async def test_what_recurs_no_more_says_why(caplog: pytest.LogCaptureFixture) -> None:
    ended = asyncio.Event()

    async def fail() -> None:
        asyncio.get_running_loop().call_soon(ended.set)
        raise OSError("disk full")

    async with recurring("looks", fail, 10.0, ManualClock()):
        await ended.wait()
    assert "looks: no more" in caplog.text
    assert "disk full" in caplog.text
