"""Whether requests can be answered here: fully, without some of the parts, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rag_core.adapters.postgres.database import Database
from rag_core.clock import Clock
from rag_core.errors import DatabaseUnavailable
from rag_core.guard.deadline import Deadline
from rag_core.providers.router import Router

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient

LIMIT_S = 1.0
"""Seconds for Postgres to answer; whoever asks about readiness asks again in seconds."""


@dataclass(frozen=True, slots=True)
class Health:
    """How well an application is, and why it is no better."""

    status: Literal["ok", "degraded", "down"]
    reasons: tuple[str, ...] = ()


class Readiness:
    """Looks at what an application stands on; nothing that it says names a host.

    Without Postgres nobody is answered. Without Redis or a provider everybody is, more slowly, or
    from their notes alone.
    """

    def __init__(
        self, database: Database, *, redis: RedisClient | None, router: Router, clock: Clock
    ) -> None:
        self._database, self._redis, self._router, self._clock = database, redis, router, clock

    async def check(self) -> Health:
        """How well it is now."""
        try:
            with Deadline(LIMIT_S, self._clock).applied():
                await self._database.fetch("SELECT 1")
        except DatabaseUnavailable:
            return Health("down", ("Postgres is away",))
        reasons = [f"the breaker of {name} is open" for name in self._router.left_alone]
        if self._redis and not self._redis.up:
            reasons.insert(0, "Redis is away")
        return Health("degraded" if reasons else "ok", tuple(reasons))
