"""Single-flight: identical work that is wanted several times at once is done once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from functools import partial
from typing import Any, Protocol

from rag_core.domain.answer import Answer

Emit = Callable[[str], None]
"""Takes a piece of the answer's text as soon as it may be shown."""

Work = Callable[[Emit], Coroutine[Any, Any, Answer]]
FleetWork = Callable[[], Coroutine[Any, Any, Answer]]

CLEAN_UP_S = 1.0
"""How long who leaves last waits for the work that was cancelled."""


class FleetFlight(Protocol):
    """Single-flight among all processes."""

    async def run(self, key: str, work: FleetWork) -> tuple[Answer, bool]:
        """The answer that one process's `work` gave, and whether it was this one's.

        A leader that dies is replaced when its lease ends; the followers of a leader that failed
        fail with it instead of each trying again.
        """
        ...


class NoFleet:
    """For a single process."""

    async def run(self, key: str, work: FleetWork) -> tuple[Answer, bool]:
        """Always do the work."""
        return await work(), True


class Flight:
    """An answer under way, or there, for those in its block: `async with flight:`."""

    def __init__(self, left: Callable[[Flight], None] = lambda flight: None) -> None:
        self._pieces: list[str] = []
        self._followers: list[asyncio.Queue[str | None]] = []
        self._answer: asyncio.Future[Answer]
        self._claimed = False
        self._left = left
        self.waiting = 0
        """Callers that are in its block."""

    def begin(self, work: Work) -> None:
        """Run `work` in a task of its own: a caller that goes away does not take it along."""
        self._answer = asyncio.create_task(work(self._emit))
        self._answer.add_done_callback(self._land)

    async def __aenter__(self) -> Flight:
        self.waiting += 1
        return self

    async def __aexit__(self, *error: object) -> None:
        """End work that nobody waits for any more, and let it clean up."""
        self.waiting -= 1
        if not self.waiting:
            self._left(self)
            if not self.landed:
                self._answer.cancel()
                await asyncio.wait([self._answer], timeout=CLEAN_UP_S)

    @property
    def landed(self) -> bool:
        """Whether the work has ended."""
        return self._answer.done()

    async def answer(self) -> Answer:
        """The answer, or what the work raised."""
        if not self.landed:
            await asyncio.wait([self._answer])
        return self._answer.result()

    def claim(self) -> bool:
        """Whether the caller is the first to have the answer: its costs are booked once.

        Not whoever began the work: it may have gone away meanwhile.
        """
        first, self._claimed = not self._claimed, True
        return first

    async def pieces(self) -> AsyncGenerator[str, None]:
        """The pieces of the text from the first on, as they come; the whole text if none came."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        for earlier in self._pieces:
            queue.put_nowait(earlier)
        if self.landed:
            queue.put_nowait(None)
        self._followers.append(queue)
        while (piece := await queue.get()) is not None:
            yield piece
        if not self._pieces:
            yield (await self.answer()).text

    def _emit(self, piece: str) -> None:
        self._pieces.append(piece)
        for queue in self._followers:
            queue.put_nowait(piece)

    def _land(self, answer: asyncio.Future[Answer]) -> None:
        if not answer.cancelled():
            answer.exception()  # perhaps nobody is left to be told
        for queue in self._followers:
            queue.put_nowait(None)


class SingleFlight:
    """Single-flight within this process."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}

    @property
    def waiting(self) -> list[int]:
        """Callers of each flight under way."""
        return [flight.waiting for flight in self._flights.values()]

    def join(self, key: str, work: Work) -> tuple[Flight, bool]:
        """The flight under way for `key`, and whether this call began it, with `work`.

        To be entered at once: `work` is cancelled when its last caller leaves before it has ended.
        """
        flight = self._flights.get(key)
        if flight and not flight.landed:
            return flight, False
        flight = self._flights[key] = Flight(partial(self._forget, key))
        flight.begin(work)
        return flight, True

    def _forget(self, key: str, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]
