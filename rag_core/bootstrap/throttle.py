"""Wiring of who may come in: rate limits, and places for what is under way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_core.bootstrap.cores import own_cores
from rag_core.clock import Clock
from rag_core.events import BudgetUsed, Event, Listener, StepFinished
from rag_core.settings import Settings
from rag_core.settings_serving import listed
from rag_core.throttle.concurrency import Concurrency
from rag_core.throttle.rate_limiter import RateLimiter
from rag_core.throttle.rate_store import MemoryRateStore, RateStore
from rag_core.throttle.rates import rate_limits
from rag_core.throttle.tightening import BudgetWatch

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient

READS = "answer_cache"
"""The step of every question that reads the epoch and the stored answer."""


@dataclass(frozen=True, slots=True)
class Throttle:
    """What is asked before a question comes in; it hears how the process is doing."""

    places: Concurrency
    budget: BudgetWatch

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Throttle:
        """As the settings want it."""
        cores = own_cores(settings)
        places = Concurrency(settings.concurrent_queries, clock, embedded_at_once=cores)
        return cls(places, BudgetWatch(clock))

    def heard_by(self, listener: Listener) -> Listener:
        """A listener that tells `listener` all, and the throttle what it wants to know."""

        def hear(event: Event) -> None:
            listener(event)
            if isinstance(event, StepFinished):
                if event.step == READS:
                    self.places.read(event.elapsed_ms / 1000)
            elif isinstance(event, BudgetUsed):
                self.budget(event)

        return hear

    def limiter(
        self, settings: Settings, redis: RedisClient | None, clock: Clock, listener: Listener
    ) -> RateLimiter:
        """The rate limits of all processes, or without a Redis of this one."""
        plans = settings.rate_limit_plans.items()
        return RateLimiter(
            _rate_store(redis, clock),
            user=rate_limits("user", settings.rate_limits),
            everyone=rate_limits("all", settings.rate_limits_all),
            plans={name: rate_limits("user", listed(limits)) for name, limits in plans},
            tight=self.budget.tight,
            listener=listener,
        )


def _rate_store(redis: RedisClient | None, clock: Clock) -> RateStore:
    if redis is None:
        return MemoryRateStore(clock)
    from rag_core.adapters.redis.rates import RedisRateStore

    return RedisRateStore(redis)
