"""Alerts as structured lines on standard error."""

from __future__ import annotations

import sys
from typing import TextIO

import structlog

from rag_core.adapters.alerts.payload import payload
from rag_core.budget import Alert


class LogAlerts:
    """AlertListener that writes one JSON line an alert, at level warning."""

    name = "log"

    def __init__(self, stream: TextIO | None = None) -> None:
        self._log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(),
            ],
        )

    async def deliver(self, alert: Alert) -> None:
        """See `AlertListener`."""
        self._log.warning("Alert", **payload(alert))
