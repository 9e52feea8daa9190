"""Collects what a request's events say, and hands its spans on when it ends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from rag_core.adapters.telemetry.spans import FinishedQuery, Spans
from rag_core.clock import Clock
from rag_core.correlation import REQUEST_ID, TRACE_PARENT, trace_id
from rag_core.events import (
    Answered,
    Event,
    ProviderCalled,
    QueryFailed,
    StepFinished,
)

MAX_OPEN = 10_000
"""Requests whose steps are kept until they end; of more, the oldest are left out. Steps that end
after their request did, as of a flight whose first caller has gone, are found here, too."""

Timed = tuple[StepFinished | ProviderCalled, int]
"""An event, and when it came in nanoseconds since the Unix epoch."""


class Traces:
    """A listener that makes spans, unless who called said that this request is not traced.

    Outside of requests there is none.

    Args:
        spans: makes them of what was kept.
        export: takes each finished span, at once.
        clock: says when an event came.
    """

    def __init__(
        self, spans: Spans, export: Callable[[ReadableSpan], None], *, clock: Clock
    ) -> None:
        self._spans, self._export, self._clock = spans, export, clock
        self._open: OrderedDict[str, list[Timed]] = OrderedDict()
        self._takes: dict[type, Callable[[Any, str], None]] = {
            StepFinished: self._keep,
            ProviderCalled: self._keep,
            Answered: self._end,
            QueryFailed: self._end,
        }

    def __call__(self, event: Event) -> None:
        """Keep what a request's event says, until the request ends."""
        take = self._takes.get(type(event))
        if take is not None and (request_id := REQUEST_ID.get()):
            take(event, request_id)

    def _keep(self, event: StepFinished | ProviderCalled, request_id: str) -> None:
        events = self._open.get(request_id)
        if events is None:
            events = self._open[request_id] = []
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)
        events.append((event, self._now_ns()))

    def _end(self, event: Answered | QueryFailed, request_id: str) -> None:
        events = self._open.pop(request_id, [])
        parent = TRACE_PARENT.get()
        if parent and not int(parent[-2:], 16) & 1:
            return
        query = FinishedQuery(event, self._now_ns(), request_id, trace_id(), parent, events)
        for span in self._spans.of(query):
            self._export(span)

    def _now_ns(self) -> int:
        return int(self._clock.now() * 1e9)
