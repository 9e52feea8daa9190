"""This process's part of a load: which arrivals it sends, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from loadtests.record.reply import Reply
from loadtests.record.sample import Sample
from loadtests.traffic.arrivals import Arrival, drawn_arrivals
from loadtests.traffic.calls import Call, Calls
from loadtests.traffic.credentials import Signer
from loadtests.traffic.golden_notes import short_notes
from loadtests.traffic.people import people
from loadtests.traffic.shape import Shape


class Load:
    """The arrivals of one process of several, handed out one by one.

    `origin_s` is the moment, in seconds of `time.time()`, at which the load begins in all of them.
    Each process sends what the people with numbers `part` modulo `parts` send.
    """

    def __init__(
        self, shape: Shape, signer: Signer, *, seed: int, origin_s: float, part: int, parts: int
    ) -> None:
        drawn = drawn_arrivals(shape, seed=seed)
        self._left: Iterator[Arrival] = iter([a for a in drawn if a.person % parts == part])
        self._calls = Calls(people(shape.people, short_notes(), seed=seed), signer)
        self._begin = time.monotonic() + origin_s - time.time()
        self.samples: list[Sample] = []

    @property
    def now_s(self) -> float:
        """Seconds since the load began; below 0 before it does."""
        return time.monotonic() - self._begin

    def next(self) -> tuple[Arrival, Call] | None:
        """The next arrival and its request; None when all are under way."""
        arrival = next(self._left, None)
        return (arrival, self._calls.of(arrival)) if arrival else None

    def record(
        self, arrival: Arrival, call: Call, reply: Reply, sent_s: float, first_s: float | None
    ) -> Sample:
        """Keep what became of an arrival whose reply was whole just now.

        Args:
            sent_s: when it was sent, in seconds from the load's begin.
            first_s: when a stream's first token came, in the same seconds.
        """
        sample = Sample(
            serial=arrival.serial,
            at_s=arrival.at_s,
            stage=arrival.stage,
            name=call.name,
            person=arrival.person,
            lag_ms=1000 * (sent_s - arrival.at_s),
            latency_ms=1000 * (self.now_s - arrival.at_s),
            first_ms=None if first_s is None else 1000 * (first_s - arrival.at_s),
            status=reply.status,
            outcome=reply.outcome,
            right=reply.right,
            pipeline_ms=reply.pipeline_ms,
            cost_usd=reply.cost_usd,
            note=call.note,
            etag=reply.etag,
        )
        self.samples.append(sample)
        return sample

    def take_samples(self) -> list[Sample]:
        """Those since the last time, to be handed on."""
        taken, self.samples = self.samples, []
        return taken
