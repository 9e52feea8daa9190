"""Who may come in: rate limits of users, and places for what is under way."""

from __future__ import annotations

# fmt: off
from rag_core.throttle.concurrency import (
    DECREASE, INCREASE, LATE_S, LATE_SHARE, LEAST, PERIOD_S, QUEUE_S, Concurrency, Place,
)
from rag_core.throttle.rate_limiter import RateLimiter
from rag_core.throttle.rate_store import MemoryRateStore, RateStore
from rag_core.throttle.rates import Count, RateLimit, Standing, rate_limits
from rag_core.throttle.tightening import BudgetWatch

__all__ = [
    "DECREASE", "INCREASE", "LATE_S", "LATE_SHARE", "LEAST", "PERIOD_S", "QUEUE_S", "BudgetWatch",
    "Concurrency", "Count", "MemoryRateStore", "Place", "RateLimit", "RateLimiter", "RateStore",
    "Standing", "rate_limits",
]
