"""From the server's start to its end: parts are assembled, and what is under way may still end."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from functools import partial
from multiprocessing import parent_process
from pathlib import Path
from types import FrameType

from rag_core.app.credential import Authenticator
from rag_core.app.reload import Read, reloading, with_canary_of
from rag_core.app.service import Service
from rag_core.bootstrap import (
    Overrides,
    assemble,
    open_authenticator,
    open_telemetry,
    settled,
)
from rag_core.errors import RagError
from rag_core.events import fan_out

CLEAN_UP_S = 2.0
"""Seconds for requests that were cancelled: what they spent is still booked. Who leaves a flight
last waits half as long."""

_STOPS = (signal.SIGTERM, signal.SIGINT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What an application starts with beside its settings; see `create_app`."""

    authenticator: Authenticator | None
    read: Read | None
    metrics_folder: Path | None
    overrides: Overrides


@asynccontextmanager
async def running(service: Service, start: Start) -> AsyncIterator[None]:
    """Assemble the application for the block, and let imports and requests end after it."""
    try:
        async with _assembled(service, start):
            with _told_to_stop(service):
                try:
                    yield
                finally:
                    await _drained(service)
    except RagError as error:
        service.failure = error
        raise


@asynccontextmanager
async def _assembled(service: Service, start: Start) -> AsyncIterator[None]:
    settings, overrides = service.settings, start.overrides.copy()
    latest = with_canary_of(settings, start.read()) if start.read else settings
    async with open_telemetry(settings, shared=start.metrics_folder) as service.telemetry:
        own = [overrides["listener"]] if "listener" in overrides else []
        overrides["listener"] = fan_out(service.telemetry.listener, *own)
        async with (
            assemble(latest, **overrides) as service.application,
            _who_asks(service, start) as service.authenticate,
            reloading(service.application.rollout, start.read),
            service.application.reading.watched(),
            _documents_read(service),
        ):
            with settled():
                yield


def _documents_read(service: Service) -> AbstractAsyncContextManager[None]:
    """What is uploaded is read here, unless that is left to others."""
    own = service.settings.ingest_worker
    return service.application.reading.working() if own else nullcontext()


def _who_asks(service: Service, start: Start) -> AbstractAsyncContextManager[Authenticator]:
    if start.authenticator:
        return nullcontext(start.authenticator)
    return open_authenticator(
        service.settings,
        service.application.database,
        clock=start.overrides.get("clock"),
        listener=service.application.listener,
    )


async def _drained(service: Service) -> None:
    """The server has waited for its requests already; those that it gave up are cleaning up."""
    service.stop()
    imports = service.application.imports
    ended = asyncio.create_task(imports.drain(service.left_s()))
    hurried = asyncio.create_task(service.hurried.wait())
    await asyncio.wait({ended, hurried}, return_when=asyncio.FIRST_COMPLETED)
    ended.cancel()
    hurried.cancel()
    await imports.drain(0)
    await service.idle(CLEAN_UP_S)


@contextmanager
def _told_to_stop(service: Service) -> Iterator[None]:
    """Readiness says at once that the server is about to stop; the server stops a while later.

    Whoever handles the signals, the server as a rule, is told after RAG_DRAIN_S, or at once of
    SIGINT. To say it twice means to wait for nothing: but one of several workers leaves that to
    the process that started it, for it may hear of one wish from several sides.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are not for us
        return
    loop, before = asyncio.get_running_loop(), {each: signal.getsignal(each) for each in _STOPS}

    def stop(number: int, frame: FrameType | None) -> None:
        again = service.stopping
        service.stop()
        if not again:
            after_s = 0.0 if number == signal.SIGINT else service.settings.drain_s
            loop.call_soon_threadsafe(loop.call_later, after_s, partial(tell, number, frame))
        elif parent_process() is None:
            loop.call_soon_threadsafe(hurry, number, frame)

    def hurry(number: int, frame: FrameType | None) -> None:
        service.hurried.set()
        tell(number, frame)
        tell(signal.SIGINT, frame)  # which a server that stops already understands so

    def tell(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for each in _STOPS:
        signal.signal(each, stop)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
