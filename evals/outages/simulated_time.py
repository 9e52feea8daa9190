"""An event loop that never waits: its time jumps to whatever is due next.

Timeouts, retries, cool-downs and budget days then take a week of the loop and minutes of ours, and
requests overlap as they would.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Where a loop would wait for so many seconds, they have passed at once."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """See `BaseSelector`; a wait without an end is for what another thread sends."""
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.now_s += max(0.0, timeout)
        return ready


class SimulatedLoop(asyncio.SelectorEventLoop):
    """An event loop on simulated time, which begins at 0; not for what needs threads or sockets."""

    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds of simulated time."""
        return self._jumping.now_s


class LoopClock:
    """The Clock of whatever loop runs.

    Args:
        start_s: the Unix time at which the loop's time is 0.
    """

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s

    def now(self) -> float:
        """See `Clock`."""
        return self._start_s + self.monotonic()

    def monotonic(self) -> float:
        """See `Clock`."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """See `Clock`."""
        await asyncio.sleep(seconds)


def run_simulated(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, run on simulated time."""
    with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
        return runner.run(work)
