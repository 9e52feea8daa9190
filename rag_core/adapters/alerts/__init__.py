"""Where alerts go: a log line, a webhook, an e-mail."""

from __future__ import annotations

from rag_core.adapters.alerts.email import EmailAlerts
from rag_core.adapters.alerts.log import LogAlerts
from rag_core.adapters.alerts.payload import payload
from rag_core.adapters.alerts.webhook import WebhookAlerts, open_webhook

__all__ = [
    "EmailAlerts",
    "LogAlerts",
    "WebhookAlerts",
    "open_webhook",
    "payload",
]
