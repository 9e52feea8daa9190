"""GET /metrics: what was measured, for Prometheus."""

from __future__ import annotations

import asyncio

from starlette.types import Receive, Scope, Send

from rag_core.app.response import send_bytes, send_problem
from rag_core.app.service import Service
from rag_core.errors import NotFound

_TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")


class MetricsRoute:
    """Gives what all workers have measured, whichever of them is asked."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the format of Prometheus; made beside the event loop, as it takes a while."""
        metrics = self._service.telemetry.metrics
        if metrics is None:
            error = NotFound("path", "nothing is measured for Prometheus", "Set RAG_METRICS")
            return await send_problem(scope, send, error)
        text = await asyncio.to_thread(metrics)
        return await send_bytes(send, text, status=200, headers=[_TEXT])
