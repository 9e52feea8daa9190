"""Turning away who asks too often, and telling everyone where they stand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_core.app.authentication import credential_of
from rag_core.app.headers import Pairs
from rag_core.app.request_context import exchange_of
from rag_core.app.response import send_json
from rag_core.app.service import Service
from rag_core.app.shedding import is_question
from rag_core.budget import NANO_PER_USD, DayBudget
from rag_core.errors import RateLimitExceeded
from rag_core.guard.time_budget import TimeBudget
from rag_core.throttle.rates import Standing


class RateLimiting:
    """Lets a question in if its user and all users together have room for it.

    Redis is asked within the request's one time budget for it, which the pipeline goes on with.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._redis_s = service.settings.redis_budget_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises RateLimitExceeded for a question too many."""
        if not is_question(scope) or (limiter := self._service.application.limiter).unlimited:
            await self._app(scope, receive, send)
            return
        credential = credential_of(scope)
        with TimeBudget(self._redis_s).applied():
            count = await limiter.take(credential.user, credential.plan)
            if count.standings:
                exchange_of(scope).added += limit_headers(count.standings)
            if refusal := count.refusal:
                limit = refusal.limit
                raise RateLimitExceeded(str(limit), limit.scope, retry_after_s=refusal.frees_s)
            await self._app(scope, receive, send)


def limit_headers(standings: Sequence[Standing]) -> Pairs:
    """`RateLimit-Policy`: all limits; `RateLimit`: the one that will be reached first.

    As the IETF's draft has it (draft-ietf-httpapi-ratelimit-headers-10): `q` requests in `w`
    seconds; `r` of them remain, and there will be more in `t` seconds.
    """
    policies = (
        f'"{each.limit.name}";q={each.limit.amount};w={each.limit.seconds}' for each in standings
    )
    tightest = min(standings, key=lambda each: (each.remaining, -each.frees_s))
    now = f'"{tightest.limit.name}";r={tightest.remaining};t={math.ceil(tightest.frees_s)}'
    return [(b"ratelimit-policy", ", ".join(policies).encode()), (b"ratelimit", now.encode())]


class LimitStatus(msgspec.Struct, frozen=True):
    """Where the caller stands with one limit."""

    limit: str
    """As `10/minute`."""
    scope: str
    """`user` or `all`."""
    remaining: int
    resets_in_s: float
    """Seconds until one more is free; 0 where none is used."""


class BudgetStatus(msgspec.Struct, frozen=True):
    """Where the caller stands with the day's budget, in US dollars."""

    spent_usd: float
    held_usd: float
    """For answers under way, at their dearest."""
    limit_usd: float | None
    """None: there is none."""
    resets_in_s: float


class LimitsRoute:
    """GET /assistant/limits: the caller's rate limits and budget; asking is not counted."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell where the caller stands; raises Unavailable where nobody knows."""
        credential = credential_of(scope)
        limiter = self._service.application.limiter
        standings = await limiter.standings(credential.user, credential.plan)
        with self._service.deadline():
            budget = await self._service.application.purse.day_budget(credential.user)
        body = {
            "plan": credential.plan,
            "limits": [_status(each) for each in standings],
            "budget": _in_dollars(budget) if budget else None,
        }
        await send_json(send, body, headers=[(b"cache-control", b"no-store")])


def _status(standing: Standing) -> LimitStatus:
    limit = standing.limit
    frees_s = math.ceil(standing.frees_s * 1000) / 1000
    return LimitStatus(str(limit), limit.scope, standing.remaining, frees_s)


def _in_dollars(budget: DayBudget) -> BudgetStatus:
    limit = None if budget.limit is None else budget.limit / NANO_PER_USD
    spent, held = budget.spent / NANO_PER_USD, budget.held / NANO_PER_USD
    return BudgetStatus(spent, held, limit, math.ceil(budget.resets_in_s * 1000) / 1000)
