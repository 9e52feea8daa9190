"""Spans, sent to a collector in batches by a thread of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from rag_core.adapters.telemetry.otlp import TIMEOUT_S, resource
from rag_core.adapters.telemetry.spans import Spans
from rag_core.adapters.telemetry.traces import Traces
from rag_core.clock import Clock


@asynccontextmanager
async def traced(endpoint: str, *, clock: Clock, embedder: str) -> AsyncIterator[Traces]:
    """A listener whose spans go to a collector; what waits is sent when the block ends.

    Where the collector does not keep up, or is away, spans are lost; nobody waits for it.

    Args:
        endpoint: of the collector, as `http://collector:4318`.
        embedder: the name of its model, for the spans.
    """
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=TIMEOUT_S)
    processor = BatchSpanProcessor(exporter)
    try:
        yield Traces(Spans(resource=resource(), embedder=embedder), processor.on_end, clock=clock)
    finally:
        await asyncio.to_thread(processor.shutdown)
