"""A client that hangs up while it waits: what is done for it alone ends."""

from __future__ import annotations

import asyncio
from types import TracebackType

from starlette.types import Receive

from rag_core.app.request_context import ClientGone

WATCH_AFTER_S = 0.05
"""Seconds before anybody looks whether the client is still there; most have their answer by then,
and a task that looks costs more than a look into the cache."""


class Departure:
    """Cancels its block where the client hangs up: `async with Departure(receive)`.

    The request's body must have been read. Raises ClientGone in place of the cancellation.
    """

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._watching: asyncio.Task[None] | None = None
        self._gone = False

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "a request is served by a task"
        self._task, self._cancelling = task, task.cancelling()
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_S, self._begin)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if self._watching:
            self._watching.cancel()
        # As asyncio.timeout does: whoever else cancelled the task meanwhile has precedence.
        ours = self._gone and self._task.uncancel() <= self._cancelling
        if ours and kind is asyncio.CancelledError:
            raise ClientGone from error

    def _begin(self) -> None:
        self._watching = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._task.cancel()
