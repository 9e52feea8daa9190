"""Guards by the clock of the test; nobody waits between two attempts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from rag_core.clock import ManualClock
from rag_core.guard import Breaker, Bulkhead, Guard, Retry
from tests.rag_core.guard.guarded.calls import MakeGuard


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


@pytest.fixture
def make(clock: ManualClock) -> MakeGuard:
    def made(*, retries: int = 0, concurrency: int = 8, timeout_s: float = 30.0) -> Guard:
        return Guard(
            breaker=Breaker("provider", clock=clock),
            bulkhead=Bulkhead("provider", concurrency=concurrency, queue_s=0),
            retry=Retry(retries),
            timeout_s=timeout_s,
            clock=clock,
        )

    return made
