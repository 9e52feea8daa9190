"""Alerts on their way to listeners, which may hang, refuse or be slow, and hold nobody up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from rag_core.budget.alerts import Alert, AlertListener
from rag_core.cancelling import cancel_for_good
from rag_core.errors import Unavailable
from rag_core.events import AlertRaised, AlertUndelivered, Listener, ignore

QUEUED = 100
"""Alerts that wait for one listener; one more is dropped, and an event says so."""
LAST_DELIVERIES_S = 5.0
"""How long the end of a process waits for alerts that are still on their way."""


@asynccontextmanager
async def delivering(
    listeners: Sequence[AlertListener],
    *,
    emit: Listener = ignore,
    last_deliveries_s: float = LAST_DELIVERIES_S,
) -> AsyncIterator[Callable[[Alert], None]]:
    """A function that hands an alert to all `listeners` and returns at once.

    Each listener has a queue and a task of its own, so that none waits for another.
    """
    lanes = [_Lane(listener, emit) for listener in listeners]

    def tell(alert: Alert) -> None:
        emit(AlertRaised(alert.kind, alert.scope))
        for lane in lanes:
            lane.put(alert)

    tasks = [asyncio.create_task(lane.run()) for lane in lanes]
    try:
        yield tell
        await asyncio.wait_for(_all_delivered(lanes), last_deliveries_s)
    except TimeoutError:
        for lane in lanes:
            lane.give_up()
    finally:
        await cancel_for_good(*tasks)


async def _all_delivered(lanes: Sequence[_Lane]) -> None:
    await asyncio.gather(*(lane.delivered() for lane in lanes))


class _Lane:
    """One listener, and what waits for it."""

    def __init__(self, listener: AlertListener, emit: Listener) -> None:
        self._listener, self._emit = listener, emit
        self._queue: asyncio.Queue[Alert] = asyncio.Queue(QUEUED)
        self._under_way = 0

    def put(self, alert: Alert) -> None:
        try:
            self._queue.put_nowait(alert)
            self._under_way += 1
        except asyncio.QueueFull:
            self._undelivered("QueueFull")

    async def run(self) -> None:
        while True:
            alert = await self._queue.get()
            try:
                await self._listener.deliver(alert)
            except Unavailable as error:
                self._undelivered(str(error))
            self._under_way -= 1
            self._queue.task_done()

    async def delivered(self) -> None:
        await self._queue.join()

    def give_up(self) -> None:
        if self._under_way:
            self._undelivered(f"{self._under_way} were left at the end")

    def _undelivered(self, reason: str) -> None:
        self._emit(AlertUndelivered(self._listener.name, reason))
