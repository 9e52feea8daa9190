"""Caches in memory together, and lookups of a user's question in them."""

from __future__ import annotations

import random

from rag_core import events
from rag_core.cache import (
    AnswerCache,
    AnswerTtl,
    CachedAnswer,
    Caches,
    ContextCache,
    EmbeddingCache,
    Epoch,
    EpochSource,
    Lookup,
    MemoryAnswerCache,
    MemoryEmbeddingCache,
    answer_key,
)
from rag_core.clock import ManualClock
from rag_core.domain import Question, UserId
from tests.rag_core.cache.parts import KnownEpochs

USER = UserId("ann")
QUESTION = Question("What is grace?")
PIPELINE = "0123456789abcdef"


def looked_up(question: Question) -> Lookup:
    """Nothing found, at an epoch that is now."""
    key = answer_key(USER, question, PIPELINE)
    return Lookup(USER, question, PIPELINE, key, None, Epoch("now"))


NOW = looked_up(QUESTION)


def caches_of(
    clock: ManualClock,
    *,
    answers: AnswerCache | None = None,
    embeddings: EmbeddingCache | None = None,
    epochs: EpochSource | None = None,
    ttl: AnswerTtl | None = None,
    listener: events.Listener = events.ignore,
    seed: int = 1,
) -> Caches:
    return Caches(
        answers=answers or MemoryAnswerCache(clock=clock),
        embeddings=embeddings or MemoryEmbeddingCache(),
        contexts=ContextCache(clock=clock),
        epochs=epochs or KnownEpochs(),
        ttl=ttl or AnswerTtl(),
        clock=clock,
        listener=listener,
        jitter=random.Random(seed),
    )


async def look_up(caches: Caches, question: Question = QUESTION) -> Lookup:
    return await caches.lookup(USER, question, PIPELINE)


async def stored(caches: Caches, question: Question = QUESTION) -> CachedAnswer:
    """What is kept of the answer to `question`."""
    found = (await look_up(caches, question)).cached
    assert found is not None
    return found
