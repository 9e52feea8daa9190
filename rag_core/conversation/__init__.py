"""Conversations: sessions of questions, and follow-ups made questions of their own."""

from __future__ import annotations

from rag_core.conversation.conversations import Conversations, Reply
from rag_core.conversation.follow_up import combined, is_follow_up
from rag_core.conversation.resolution import Resolution, Resolver, Rewriter, Rewritten
from rag_core.conversation.rewriting import ProviderRewriter
from rag_core.conversation.sessions import MOST_SESSIONS, Session, SessionStore, Turn, new_id

__all__ = [
    "MOST_SESSIONS",
    "Conversations",
    "ProviderRewriter",
    "Reply",
    "Resolution",
    "Resolver",
    "Rewriter",
    "Rewritten",
    "Session",
    "SessionStore",
    "Turn",
    "combined",
    "is_follow_up",
    "new_id",
]
