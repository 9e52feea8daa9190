"""Alerts as JSON, posted to a URL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import stamina

from rag_core.adapters.alerts.payload import payload
from rag_core.budget import Alert
from rag_core.errors import Unavailable

TIMEOUT_S = 5.0
ATTEMPTS = 3
PAUSE_S = 0.5
"""Before the second attempt; then it doubles, with jitter."""


class WebhookAlerts:
    """AlertListener that posts an alert, again where that may help: refused, cut, 429 or 5xx."""

    name = "webhook"

    def __init__(self, client: httpx2.AsyncClient, url: str, *, pause_s: float = PAUSE_S) -> None:
        self._client, self._url, self._pause_s = client, url, pause_s

    async def deliver(self, alert: Alert) -> None:
        """See `AlertListener`.

        Raises:
            Unavailable: no attempt went well; says nothing of the URL, which is secret.
        """
        try:
            async for attempt in stamina.retry_context(
                on=_worth_another, attempts=ATTEMPTS, timeout=None, wait_initial=self._pause_s
            ):
                with attempt:
                    response = await self._client.post(self._url, json=payload(alert))
                    response.raise_for_status()
        except httpx2.HTTPStatusError as error:
            raise Unavailable(f"the webhook answered {error.response.status_code}") from None
        except httpx2.TransportError as error:
            raise Unavailable(f"the webhook failed: {type(error).__name__}") from None


def _worth_another(error: Exception) -> bool:
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.status_code == 429 or error.response.status_code >= 500
    return isinstance(error, httpx2.TransportError)


@asynccontextmanager
async def open_webhook(
    url: str, *, timeout_s: float = TIMEOUT_S, pause_s: float = PAUSE_S
) -> AsyncIterator[WebhookAlerts]:
    """A listener for the webhook at `url`, which gets `timeout_s` for each attempt's steps."""
    async with httpx2.AsyncClient(timeout=timeout_s) as client:
        yield WebhookAlerts(client, url, pause_s=pause_s)
