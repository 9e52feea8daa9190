"""This process's part of a load: which arrivals it sends, and what became of them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from loadtests.record.reply import Reply
from loadtests.record.sample import Sample
from loadtests.traffic.arrivals import Arrival, drawn_arrivals
from loadtests.traffic.calls import Call, Calls
from loadtests.traffic.credentials import Signer
from loadtests.traffic.golden_notes import short_notes
from loadtests.traffic.order import Order
from loadtests.traffic.people import people


@dataclass(frozen=True, slots=True)
class Due:
    """An arrival and its request; whether whoever takes it is free before its moment."""

    arrival: Arrival
    call: Call
    in_time: bool


class Load:
    """The arrivals of one process of several, handed out one by one.

    Each process draws the whole load, and sends for the people numbered `part` modulo `parts`.
    """

    def __init__(self, order: Order, signer: Signer, *, part: int = 0, parts: int = 1) -> None:
        drawn = drawn_arrivals(order.shape, seed=order.seed)
        everyone = people(order.shape.people, short_notes(), seed=order.seed)
        self._left: Iterator[Arrival] = iter([a for a in drawn if a.person % parts == part])
        self._calls = Calls(everyone, signer)
        self._begin = time.monotonic() + order.origin_s - time.time()
        self.samples: list[Sample] = []

    @property
    def now_s(self) -> float:
        """Seconds since the load began; below 0 before it does."""
        return time.monotonic() - self._begin

    def next(self) -> Due | None:
        """What is due next; None when all are under way."""
        arrival = next(self._left, None)
        if arrival is None:
            return None
        return Due(arrival, self._calls.of(arrival), in_time=self.now_s <= arrival.at_s)

    def record(self, due: Due, reply: Reply, sent_s: float, first_s: float | None) -> Sample:
        """Keep what became of an arrival whose reply was whole just now.

        Args:
            sent_s: when it was sent, in seconds from the load's begin.
            first_s: when a stream's first token came, in the same seconds.
        """
        arrival, call = due.arrival, due.call
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
            in_time=due.in_time,
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
