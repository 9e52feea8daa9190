"""Single-flight: identical work that is wanted several times at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Protocol

from rag_core.answer import Answer

Work = Callable[[], Coroutine[Any, Any, Answer]]


class FleetFlights(Protocol):
    """Single-flight among all processes."""

    async def run(self, key: str, work: Work) -> tuple[Answer, bool]:
        """The answer that one process's `work` gave, and whether it was this one's.

        A leader that dies is replaced when its lease ends; the followers of a leader that failed
        fail with it instead of each trying again.
        """
        ...


class NoFleet:
    """For a single process."""

    async def run(self, key: str, work: Work) -> tuple[Answer, bool]:
        """Always do the work."""
        return await work(), True


@dataclass(slots=True)
class _Flight:
    task: asyncio.Task[Answer]
    waiting: int = 0


class LocalFlights:
    """Single-flight within this process.

    The work runs in a task of its own: a caller that goes away does not take it along, unless it
    was the last that waited.
    """

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    async def run(self, key: str, work: Work) -> tuple[Answer, bool]:
        """The answer of the one `work` under way for `key`, and whether this call began it."""
        flight = self._flights.get(key)
        led = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(work()))
            flight.task.add_done_callback(lambda task: self._landed(key, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task), led
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._flights.pop(key, None)
                flight.task.cancel()

    def _landed(self, key: str, task: asyncio.Task[Answer]) -> None:
        if not task.cancelled():
            task.exception()  # perhaps nobody is left to be told
        flight = self._flights.get(key)
        if flight and flight.task is task:
            del self._flights[key]
