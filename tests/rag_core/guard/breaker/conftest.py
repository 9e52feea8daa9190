"""Eight workers that share a breaker through one store."""

from __future__ import annotations

import pytest

from rag_core.clock import ManualClock
from rag_core.guard import Breaker
from tests.rag_core.guard.breaker.workers import FlakyStore


@pytest.fixture
def store(clock: ManualClock) -> FlakyStore:
    return FlakyStore(clock)


@pytest.fixture
def fleet(clock: ManualClock, store: FlakyStore) -> list[Breaker]:
    return [Breaker("provider", clock=clock, store=store) for _ in range(8)]
