"""Clocks: one that stands still until told, and the machine's."""

from __future__ import annotations

import time

import pytest

from rag_core.clock import ManualClock, SystemClock


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
