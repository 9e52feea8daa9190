"""Watching what is spent, and telling owners where the settings say."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from rag_core.adapters.alerts import LogAlerts
from rag_core.budget import (
    NANO_PER_USD,
    AlertListener,
    AlertLog,
    AlertRules,
    SpendMonitor,
    SpendSource,
    delivering,
    watching,
)
from rag_core.clock import Clock
from rag_core.events import Listener
from rag_core.settings import Settings, secret


@asynccontextmanager
async def watch_spending(
    settings: Settings, source: SpendSource, log: AlertLog, *, clock: Clock, emit: Listener
) -> AsyncIterator[SpendMonitor]:
    """A monitor that is told of every settled call, and tells the listeners of the settings."""
    rules = AlertRules(
        user_cap_nano=round(settings.budget_user_usd * NANO_PER_USD),
        all_cap_nano=round(settings.budget_all_usd * NANO_PER_USD),
    )
    async with AsyncExitStack() as stack:
        listeners: list[AlertListener] = [LogAlerts(), *_email(settings)]
        if url := secret(settings.alert_webhook_url):
            from rag_core.adapters.alerts.webhook import open_webhook

            listeners.append(await stack.enter_async_context(open_webhook(url)))
        tell = await stack.enter_async_context(delivering(listeners, emit=emit))
        monitor = SpendMonitor(source, rules, log, tell, clock=clock)
        yield await stack.enter_async_context(watching(monitor))


def _email(settings: Settings) -> list[AlertListener]:
    url = secret(settings.alert_smtp_url)
    sender, to = settings.alert_email_from, settings.alert_email_to
    if not (url and sender and to):
        return []
    from rag_core.adapters.alerts.email import EmailAlerts

    return [EmailAlerts(url, sender=sender, to=to)]
