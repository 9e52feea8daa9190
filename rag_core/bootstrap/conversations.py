"""Wiring of conversations: where sessions are kept, and who rewrites follow-ups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rag_core.adapters.memory import MemorySessions
from rag_core.bootstrap.providers import Writers
from rag_core.budget.spending import Spending
from rag_core.clock import Clock
from rag_core.conversation import Conversations, ProviderRewriter, Resolver, Rewriter, SessionStore
from rag_core.domain.note_store import NoteStore
from rag_core.domain.tokens import Tokenizer
from rag_core.settings import Settings

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient


def session_store(settings: Settings, redis: RedisClient | None, clock: Clock) -> SessionStore:
    """Sessions that all processes share; without a Redis, of this process alone."""
    most, ttl_s = settings.session_turns, settings.session_ttl_s
    if redis is None:
        return MemorySessions(clock=clock, most_turns=most, ttl_s=ttl_s)
    from rag_core.adapters.redis.sessions import RedisSessions

    return RedisSessions(redis, clock=clock, most_turns=most, ttl_s=ttl_s)


def wire_conversations(
    settings: Settings,
    store: SessionStore,
    notes: NoteStore,
    clock: Clock,
    rewriter: Rewriter | None,
) -> Conversations:
    """Conversations as the settings describe them."""
    return Conversations(
        store=store,
        notes=notes,
        resolver=Resolver(rewriter),
        clock=clock,
        request_s=settings.request_timeout_s,
        redis_s=settings.redis_budget_s,
    )


def wire_rewriter(
    settings: Settings, writers: Writers, tokenizer: Tokenizer, spending: Spending | None
) -> Rewriter | None:
    """The providers that write answers, where there are any and the settings let them."""
    if settings.follow_ups == "rules" or writers.quoting is None:
        return None
    return ProviderRewriter(
        writers.router,
        tokenizer=tokenizer,
        spending=spending,
        max_tokens=settings.question_tokens,
        timeout_s=settings.follow_up_timeout_s,
    )
