"""Wiring of what operators see: a listener for each backend that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rag_core.adapters.telemetry import LogListener, log_to_stderr
from rag_core.clock import Clock, SystemClock
from rag_core.errors import ConfigurationError
from rag_core.events import Listener, fan_out
from rag_core.settings import Settings, secret


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Where events go, and what Prometheus may read of them."""

    listener: Listener
    metrics: Callable[[], bytes] | None = None
    """All that was measured, as Prometheus reads it; takes some milliseconds. None: nothing."""


@asynccontextmanager
async def open_telemetry(
    settings: Settings, *, shared: Path | None = None, clock: Clock | None = None
) -> AsyncIterator[Telemetry]:
    """What the settings name; when the block ends, all that waits is sent.

    Args:
        shared: a folder in which the workers of a server count together; None for one process.

    Raises:
        ConfigurationError: something is to be sent, but not where to.
    """
    clock = clock or SystemClock()
    listeners: list[Listener] = [LogListener(settings.log_level, settings.log_format)]
    metrics = None
    async with AsyncExitStack() as stack:
        if settings.metrics == "prometheus":
            measured, metrics = _prometheus(shared, clock)
            listeners.append(measured)
        elif settings.metrics == "otlp":
            listeners.append(await stack.enter_async_context(_otlp_metrics(settings, clock)))
        if settings.traces == "otlp":
            listeners.append(await stack.enter_async_context(_otlp_traces(settings, clock)))
        yield Telemetry(fan_out(*listeners), metrics)


def log_as_configured(settings: Settings) -> None:
    """Let libraries' messages become lines like those of events; for a process of one's own."""
    log_to_stderr(settings.log_level, settings.log_format)


# What follows needs packages of the extra `serve`, which most uses do without.


def _prometheus(shared: Path | None, clock: Clock) -> tuple[Listener, Callable[[], bytes]]:
    from rag_core.adapters.telemetry.cells import MemoryCells, SharedCells
    from rag_core.adapters.telemetry.meter import CellMeter
    from rag_core.adapters.telemetry.prometheus import exposition
    from rag_core.adapters.telemetry.recorder import Recorder
    from rag_core.adapters.telemetry.totals import totals

    cells = SharedCells(shared) if shared else MemoryCells()

    def metrics() -> bytes:
        return exposition(totals(cells.read()), process=shared is None)

    return Recorder(CellMeter(cells, clock)), metrics


@asynccontextmanager
async def _otlp_metrics(settings: Settings, clock: Clock) -> AsyncIterator[Listener]:
    from rag_core.adapters.telemetry.cells import MemoryCells
    from rag_core.adapters.telemetry.meter import CellMeter
    from rag_core.adapters.telemetry.otlp_metrics import pushed
    from rag_core.adapters.telemetry.recorder import Recorder
    from rag_core.adapters.telemetry.totals import totals

    cells = MemoryCells()
    async with pushed(_endpoint(settings), lambda: totals(cells.read())):
        yield Recorder(CellMeter(cells, clock))


@asynccontextmanager
async def _otlp_traces(settings: Settings, clock: Clock) -> AsyncIterator[Listener]:
    from rag_core.adapters.telemetry.otlp_traces import traced

    async with traced(_endpoint(settings), clock=clock, embedder=settings.embedder_model) as traces:
        yield traces


def _endpoint(settings: Settings) -> str:
    endpoint = secret(settings.otlp_endpoint)
    if endpoint is None:
        raise ConfigurationError(
            "RAG_OTLP_ENDPOINT",
            "is not set, and RAG_METRICS or RAG_TRACES is otlp",
            "Set it to the collector's, as http://collector:4318",
        )
    return endpoint
