"""Wiring of the guards: one around each outside dependency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stamina.instrumentation import set_on_retry_hooks

from rag_core.clock import Clock
from rag_core.events import Listener
from rag_core.guard.breaker import Breaker, BreakerStore
from rag_core.guard.bulkhead import Bulkhead
from rag_core.guard.circuit import BreakerRules
from rag_core.guard.guard import Guard
from rag_core.guard.never_open import NeverOpen
from rag_core.guard.retry import Retry
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient

LEASE_MARGIN_S = 5.0
"""Seconds by which a probe's lease outlasts the longest call; chosen."""


def provider_guard(
    name: str,
    settings: Settings,
    *,
    timeout_s: float,
    clock: Clock,
    listener: Listener,
    redis: RedisClient | None = None,
) -> Guard:
    """The guard around the provider `name`; its breaker is the fleet's where there is a Redis.

    Args:
        timeout_s: what one call may take.
    """
    set_on_retry_hooks(())  # else each retry is logged to standard output
    rules = BreakerRules(
        failures=settings.breaker_failures,
        window_s=settings.breaker_window_s,
        open_s=settings.breaker_open_s,
        probes=settings.breaker_probes,
        lease_s=timeout_s + LEASE_MARGIN_S,
    )
    store = _fleet_breaker(redis, name) if redis and settings.breakers else None
    kind = Breaker if settings.breakers else NeverOpen
    concurrency, queue_s = settings.provider_concurrency, settings.provider_queue_s
    return Guard(
        breaker=kind(name, clock=clock, rules=rules, store=store, listener=listener),
        bulkhead=Bulkhead(name, concurrency=concurrency, queue_s=queue_s),
        retry=Retry(settings.provider_retries),
        timeout_s=timeout_s,
        clock=clock,
    )


def _fleet_breaker(redis: RedisClient, name: str) -> BreakerStore:
    from rag_core.adapters.redis.breaker import RedisBreakerStore

    return RedisBreakerStore(redis, name)


def postgres_breaker(settings: Settings, clock: Clock, listener: Listener) -> Breaker:
    """The breaker around reads of Postgres, of this process alone.

    It opens earlier than a provider's and asks again sooner: nobody is answered without Postgres,
    a read that takes its whole time takes a thousand times as long as it should, and a server that
    was restarted is back within a second. Each second one request finds out.
    """
    rules = BreakerRules(
        failures=2,
        window_s=5 * settings.database_timeout_s,
        open_s=1.0,
        probes=1,
        lease_s=settings.database_timeout_s + LEASE_MARGIN_S,
    )
    kind = Breaker if settings.breakers else NeverOpen
    return kind("postgres", clock=clock, rules=rules, listener=listener)
