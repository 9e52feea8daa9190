"""Wiring of money: one ledger for all processes where there is a Redis, else one for this one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from rag_core.adapters.memory import MemoryAlertLog, MemoryLedgerStore
from rag_core.adapters.postgres.cost_report import PostgresCostReport
from rag_core.adapters.postgres.costs import PostgresCosts
from rag_core.adapters.postgres.database import Database
from rag_core.bootstrap.alerts import watch_spending
from rag_core.budget.alerts import AlertLog
from rag_core.budget.daily_ledger import DailyLedger
from rag_core.budget.day_costs import day_watched
from rag_core.budget.ledger import LedgerStore
from rag_core.budget.money import Caps, nano
from rag_core.budget.spending import Spending, hold_ttl_s
from rag_core.budget.sweeper import swept
from rag_core.budget.uncapped import Uncapped
from rag_core.clock import Clock, SystemClock
from rag_core.events import Listener
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient


@asynccontextmanager
async def open_spending(
    settings: Settings, database: Database, redis_url: str | None, clock: Clock, listener: Listener
) -> AsyncIterator[Spending]:
    """What paid calls ask; when the block ends, everything that was spent has been told.

    Without a Redis URL the ledger is this process's own, made from what Postgres has of the day:
    several such processes together may pass a cap.
    """
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(_patient(redis_url)) if redis_url else None
        store, log = _stores(settings, redis, clock)
        report, caps = PostgresCostReport(database), caps_of(settings)
        monitor = await stack.enter_async_context(
            watch_spending(settings, report, log, clock=clock, emit=listener)
        )
        ledger = DailyLedger(store, PostgresCosts(database), caps, clock=clock, listener=listener)
        await stack.enter_async_context(
            day_watched(report, user_cap_nano=caps.user, clock=clock, emit=listener)
        )
        # Sweeping takes its turns by the machine's clock, whatever time it is for the budgets.
        await stack.enter_async_context(swept(ledger, clock=SystemClock()))
        limit_s = settings.request_timeout_s
        spending = Spending(
            ledger if settings.budgets else Uncapped(ledger),
            listener=listener,
            call_limit_s=limit_s,
            settled=monitor.settled,
        )
        stack.push_async_callback(spending.drained)
        yield spending


def caps_of(settings: Settings) -> Caps:
    """The day's budgets that the settings name."""
    return Caps(
        user=nano(settings.budget_user_usd),
        all=nano(settings.budget_all_usd),
        allowance=nano(settings.budget_allowance_usd),
        processes=settings.budget_processes,
    )


def _stores(
    settings: Settings, redis: RedisClient | None, clock: Clock
) -> tuple[LedgerStore, AlertLog]:
    ttl_s = hold_ttl_s(settings.request_timeout_s)
    if redis is None:  # nobody else held
        return MemoryLedgerStore(ttl_s=ttl_s, clock=clock, closed_s=0.0), MemoryAlertLog()
    from rag_core.adapters.redis.alert_log import RedisAlertLog
    from rag_core.adapters.redis.ledger import RedisLedgerStore

    return RedisLedgerStore(redis, ttl_s=ttl_s), RedisAlertLog(redis)


def _patient(redis_url: str) -> AbstractAsyncContextManager[RedisClient]:
    """A client that waits for the ledger longer than a cache is worth waiting for."""
    from rag_core.adapters.redis.client import open_client
    from rag_core.adapters.redis.ledger import LEDGER_TIMEOUT_S

    return open_client(redis_url, call_timeout_s=LEDGER_TIMEOUT_S)
