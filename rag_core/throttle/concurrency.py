"""How many requests may be under way in a process: fewer come in while it is late.

Three bounds, each of what a request costs at that point:

1. Reading. Every request reads the user's epoch and the cached answer, side by side, and `limit` is
   how many may be at it. It follows the process: that work takes as long for each request, no
   provider is part of it, and the event loop, the pool's queue, Postgres and Redis all are, so
   whoever is late there is late by the process's own doing.
2. Staying. What no cache answers stays until its answer is written, and `most` may; who asks the
   same meanwhile waits with it. It costs memory, and mostly waits for a provider.
3. Embedding. Of those, as many have their turn at the embedder at once as the process has cores
   for; who has none within `QUEUE_S` is shed. It is the dearest a question costs the process, so
   where there is too much to do, it is that which waits. (LOAD=spike on two cores, ten seconds at
   500 questions a second, embedded in float32: 1,472 and 1,578 of 4,817 shed, half of the hits
   within 13 and 16 ms; without it 2,725 and 235 ms.)

So an answer that is cached is given as long as reads are in time, however slow the provider is and
however many ask what nobody asked before.

The limit's rule, at the end of each period (additive increase, multiplicative decrease):

    more than `LATE_SHARE` of the period's reads were late
        -> `DECREASE` times as many as were at it at the peak, but no fewer than `LEAST`
    none of that, and the limit was reached
        -> `INCREASE` more than there were, but no more than `most`
    else -> as before

So a process that stays late comes down to `LEAST` within a few periods, whatever the limit was, for
each time the peak is at most the limit; one that keeps up has twice as many places after eight
periods that wanted them; and a limit that nobody reached says nothing, so it stays. By Little's law
`LEAST` at reads that are just not late let in 320 requests a second: however slow the provider is,
a stall of a moment turns few away.
"""

from __future__ import annotations

import math
from contextlib import AbstractAsyncContextManager, nullcontext
from contextvars import ContextVar

from rag_core.clock import Clock
from rag_core.errors import Overloaded
from rag_core.guard.bulkhead import Bulkhead
from rag_core.guard.deadline import seconds_left

QUEUE_S = 1.0
"""Seconds that a question waits for its turn to be embedded; chosen: a fraction of what its answer
takes to be written. Where too much comes for long, waiting longer answers no more of them, and each
that is answered later; of a short spike more may be. (LOAD=spike shed 853 of 4,817, with half a
second 1,093 and 1,070 just before and after, and soon afterwards 601: how fast the machine is at
the moment tells more.)"""

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

LEAST = 32
"""Never fewer: a process that all else has stalled for a second turns away few, and one that is
late by its own doing has so many hits to answer, of half a millisecond each; chosen."""


class Place:
    """Of one request, from `Concurrency.enter` until it leaves."""

    __slots__ = ("_reading", "_staying", "among")

    def __init__(self, among: Concurrency) -> None:
        self.among, self._reading, self._staying = among, True, False
        among.reading += 1

    def has_read(self) -> None:
        """Its reads are done, or are none of its concern any more."""
        self.among.reading -= self._reading
        self._reading = False

    def stay(self) -> None:
        """It stays until its answer is written."""
        self.among.staying += not self._staying
        self._staying = True

    def leave(self) -> None:
        """Give the place back."""
        self.has_read()
        self.among.staying -= self._staying
        self._staying = False


_PLACE: ContextVar[Place | None] = ContextVar("place", default=None)
"""That of the request within which something is read."""


class Concurrency:
    """A place for each request under way, as many as the process is in time with.

    Who has no place, as it did not come in by `enter`, is bound by nothing here.

    Args:
        most: number that may stay, and read, at the most; 0: as many as come, and nobody is shed.
        clock: its monotonic time ends the periods.
        embedded_at_once: number of questions that are.
    """

    def __init__(self, most: int, clock: Clock, *, embedded_at_once: int = 1) -> None:
        self._most, self._clock = most, clock
        self._embedder = Bulkhead("the embedder", concurrency=embedded_at_once, queue_s=QUEUE_S)
        self.limit = most
        """The number of requests that may be at their reads now."""
        self.reading = 0
        """How many that came in are yet to read."""
        self.staying = 0
        """How many of them stay until an answer is written."""
        self._peak = 0
        self._begin_period()

    def enter(self) -> Place | None:
        """A place for the request of this context, which is to leave it; None: no more."""
        if self._most and self.reading >= self.limit:
            self._peak = max(self._peak, self.reading)
            return None
        place = Place(self)
        self._peak = max(self._peak, self.reading)
        _PLACE.set(place)
        return place

    def turn(self) -> AbstractAsyncContextManager[None]:
        """Within the block the request of this context has its turn at the embedder.

        No cache answers it, so it stays from now on until its answer is written.

        Raises:
            Overloaded: `most` stay already, or it had no turn in time.
        """
        place = _PLACE.get()
        if not self._most or place is None or place.among is not self:
            return nullcontext()
        if self.staying >= self._most:
            raise Overloaded("too many questions wait for their answers")
        place.stay()
        return self._embedder.place(seconds_left(QUEUE_S))

    def read(self, elapsed_s: float) -> None:
        """The two reads of the request of this context took so many seconds."""
        if place := _PLACE.get():
            place.has_read()
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
        self._peak = self.reading
