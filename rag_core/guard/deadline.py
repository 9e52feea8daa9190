"""The deadline of a request, seen by everything that waits on its behalf."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Self

from rag_core.clock import Clock

_GRACE_S = 0.001
"""Left to the loop even if it was on time."""


class Deadline:
    """The moment by which a request must have ended.

    Args:
        seconds: from now on.
    """

    def __init__(self, seconds: float, clock: Clock) -> None:
        self._clock = clock
        self._ends = clock.monotonic() + seconds

    def left_s(self) -> float:
        """Seconds until then; never below 0."""
        return max(0.0, self._ends - self._clock.monotonic())

    def move(self, seconds: float) -> None:
        """End so many seconds from now instead, for all who are bound to it already."""
        self._ends = self._clock.monotonic() + seconds

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Bind what is called within the block, and tasks begun there, to this deadline."""
        token = CURRENT_DEADLINE.set(self)
        try:
            yield
        finally:
            CURRENT_DEADLINE.reset(token)


CURRENT_DEADLINE: ContextVar[Deadline | None] = ContextVar("deadline", default=None)


def seconds_left(most: float) -> float:
    """What a call may take: `most` seconds, or what the request around it has left, if less."""
    current = CURRENT_DEADLINE.get()
    return most if current is None else min(most, current.left_s())


class PatientTimeout:
    """`asyncio.timeout` that does not blame others for a busy event loop.

    While our own loop was busy, the reply may have come and merely not been read. So the timer,
    when it is due, gives back the time by which it is late itself, once; and what was read in the
    turn in which that ends still counts.

    Raises:
        TimeoutError: the block took longer than `seconds`.
    """

    __slots__ = ("_cancelling", "_due_at", "_expired", "_seconds", "_task", "_timer", "late_s")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._expired = False
        self.late_s = 0.0
        """Seconds by which the loop was late when the time was up; 0 as long as it is not."""

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None, "there is a task wherever one can wait"
        self._task, self._cancelling = task, task.cancelling()
        loop = asyncio.get_running_loop()
        self._due_at = loop.time() + self._seconds
        self._timer: asyncio.Handle = loop.call_at(self._due_at, self._due)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        # As asyncio.timeout does: whoever else cancelled the task meanwhile has precedence.
        ours = self._expired and self._task.uncancel() <= self._cancelling
        if ours and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _due(self) -> None:
        loop = asyncio.get_running_loop()
        self.late_s = max(0.0, loop.time() - self._due_at)
        self._timer = loop.call_later(max(_GRACE_S, self.late_s), self._last_turn)

    def _last_turn(self) -> None:
        """Come after whom this turn of the loop has woken: it reads before it calls timers."""
        self._timer = asyncio.get_running_loop().call_soon(self._expire)

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()
