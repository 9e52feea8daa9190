"""How many requests may be under way in a process: fewer while it is late, more when it is not.

Late is seen at work that every request has done for it and that takes as long for each: reading
the user's epoch and the cached answer side by side. No provider is part of it, so a slow model is
not taken for a busy process; the event loop, the pool's queue, Postgres and Redis all are.

The rule, at the end of each period (additive increase, multiplicative decrease):

    more than `LATE_SHARE` of the period's requests were late
        -> `DECREASE` times as many as were under way at its peak, but no fewer than `LEAST`
    none of that, and the limit was reached
        -> `INCREASE` more than there were, but no more than `most`
    else -> as before

So a process that stays late comes down to `LEAST` within a few periods, whatever the limit was, for
each time the peak is at most the limit; one that keeps up has twice as many places after eight
periods that wanted them; and a limit that nobody reached says nothing, so it stays.
"""

from __future__ import annotations

import math

from rag_core.clock import Clock

LATE_S = 0.1
"""Seconds from which the two reads were late: some fifty times what they take; chosen."""

PERIOD_S = 0.5
"""Seconds between two decisions: time enough for some reads, and far less than anyone waits;
chosen."""

LATE_SHARE = 0.5
"""Of a period's reads: one stall of a moment makes fewer late, and is no reason to shed; chosen."""

DECREASE = 0.5
"""What is left of the places when late: TCP's half (RFC 5681, section 3.1)."""

INCREASE = 0.1
"""Share of the places that is added when in time: so gentle that it passes what the process can do
by little; chosen."""

LEAST = 8
"""Never fewer: what a process does with so few is no matter of how many there are; chosen."""


class Concurrency:
    """A place for each request under way, as many as the process is in time with.

    Args:
        most: number of places at the most; 0: as many as come, and nobody is shed.
        clock: its monotonic time ends the periods.
    """

    def __init__(self, most: int, clock: Clock) -> None:
        self._most, self._clock = most, clock
        self.limit = most
        """The number of places now."""
        self.under_way = 0
        """The number of places taken."""
        self._begin_period()

    def enter(self) -> bool:
        """Take a place, to be given back by `leave`; False: there is none."""
        if self._most and self.under_way >= self.limit:
            self._peak = self.limit
            return False
        self.under_way += 1
        self._peak = max(self._peak, self.under_way)
        return True

    def leave(self) -> None:
        """Give the place back."""
        self.under_way -= 1

    def read(self, elapsed_s: float) -> None:
        """The two reads of a request took so long."""
        self._reads += 1
        self._late += elapsed_s > LATE_S
        if self._clock.monotonic() >= self._period_ends:
            self._adjust()
            self._begin_period()

    def _adjust(self) -> None:
        if self._late > LATE_SHARE * self._reads:
            fewer = int(DECREASE * min(self._peak, self.limit))
            self.limit = min(self.limit, max(LEAST, fewer))
        elif self._peak >= self.limit:
            self.limit = min(self._most, self.limit + math.ceil(INCREASE * self.limit))

    def _begin_period(self) -> None:
        self._period_ends = self._clock.monotonic() + PERIOD_S
        self._reads = self._late = 0
        self._peak = self.under_way
