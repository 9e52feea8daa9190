"""Timing the steps of one request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from rag_core.answer import Answer
from rag_core.clock import Clock
from rag_core.events import Answered, Listener, StepFinished


class Stopwatch:
    """Collects milliseconds per step and tells the listener of each."""

    def __init__(self, clock: Clock, listener: Listener) -> None:
        self._clock = clock
        self._listener = listener
        self._started = clock.monotonic()
        self._steps_ms: dict[str, float] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time the block as `step`."""
        began = self._clock.monotonic()
        try:
            yield
        finally:
            elapsed_ms = (self._clock.monotonic() - began) * 1000
            self._steps_ms[step] = elapsed_ms
            self._listener(StepFinished(step, elapsed_ms))

    def elapsed_ms(self) -> float:
        """Milliseconds since the request began."""
        return (self._clock.monotonic() - self._started) * 1000

    def stamp(self, answer: Answer) -> Answer:
        """The answer with its timings; the end of the request."""
        total_ms = self.elapsed_ms()
        self._listener(
            Answered(
                answer.provenance,
                answer.generator,
                answer.model,
                answer.usage,
                answer.cost_usd,
                total_ms,
            )
        )
        return replace(answer, timings_ms={**self._steps_ms, "total": total_ms})
