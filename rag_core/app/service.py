"""What the routes work with while the application runs."""

from __future__ import annotations

import asyncio
from contextlib import AbstractContextManager, suppress

from rag_core.app.credential import Authenticator
from rag_core.bootstrap import Application, Telemetry
from rag_core.clock import Clock, SystemClock
from rag_core.errors import RagError
from rag_core.guard.deadline import Deadline
from rag_core.settings import Settings


class Service:
    """The assembled application, set when the server starts and gone when it stops.

    Args:
        clock: for deadlines.
    """

    application: Application
    telemetry: Telemetry
    authenticate: Authenticator

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.stopping = False
        """Whether it has been told to stop: readiness says so."""
        self.hurried = asyncio.Event()
        """Set when it has been told so again: nothing is waited for."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self.failure: RagError | None = None
        """Why it did not start."""

    def begun(self) -> None:
        """A request has begun."""
        self._under_way += 1

    def ended(self) -> None:
        """A request has ended."""
        self._under_way -= 1
        if self.stopping and not self._under_way:
            self._idle.set()

    async def idle(self, within_s: float) -> None:
        """Return when no request is under way, or after `within_s` seconds; after `stop`."""
        if self._under_way:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), within_s)

    def stop(self) -> None:
        """The server was told to stop: what is under way may still end within RAG_SHUTDOWN_S."""
        if not self.stopping:
            self.stopping = True
            self._stopped_at = self.clock.monotonic()

    def left_s(self) -> float:
        """Seconds that are left to what is under way, after `stop`."""
        allowed_s = self.settings.drain_s + self.settings.shutdown_s
        return max(0.0, self._stopped_at + allowed_s - self.clock.monotonic())

    def deadline(self) -> AbstractContextManager[None]:
        """Bind the block to the time that a request may take."""
        return Deadline(self.settings.request_timeout_s, self.clock).applied()
