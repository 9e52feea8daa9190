"""The machine's clock, which a drill may set ahead where an hour must pass."""

from __future__ import annotations

from rag_core.clock import SystemClock


class AheadClock(SystemClock):
    """Runs like the machine's clock, `ahead_s` seconds before it; sleeping takes real time."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def now(self) -> float:
        """See `Clock`."""
        return super().now() + self.ahead_s

    def monotonic(self) -> float:
        """See `Clock`."""
        return super().monotonic() + self.ahead_s
