"""The running event loop's time, which a test moves ahead instead of waiting for it to pass."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import SystemClock


class LoopClock(SystemClock):
    """The system's clock, and the running loop's, `advance` ahead of the machine's.

    What was to fall due meanwhile is due at once, timers of the loop included; what needs the
    machine's time (a query, a busy processor) has all that is left after it.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        loop = asyncio.get_running_loop()
        self._machine_time, self._ahead_s = loop.time, 0.0
        patch.setattr(loop, "time", self.monotonic)

    def monotonic(self) -> float:
        """Seconds of the loop."""
        return self._machine_time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Move the time ahead by `seconds`."""
        self._ahead_s += seconds
