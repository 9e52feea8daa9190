"""Where alerts go: a log line, a webhook, an e-mail; the latter two from modules of their own,
imported where they are wanted."""

from __future__ import annotations

from rag_core.adapters.alerts.log import LogAlerts
from rag_core.adapters.alerts.payload import payload

__all__ = [
    "LogAlerts",
    "payload",
]
