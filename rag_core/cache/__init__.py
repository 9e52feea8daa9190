"""Caches that never serve an answer whose evidence has changed."""

from __future__ import annotations

# fmt: off
from rag_core.cache.answers import (
    AnswerCache, AnswerTtl, CachedAnswer, MemoryAnswerCache, NoAnswerCache,
)
from rag_core.cache.caches import Caches, Lookup
from rag_core.cache.codec import VERSION, decode_answer, decode_cached, encode
from rag_core.cache.contexts import ContextCache, context_bytes
from rag_core.cache.embeddings import EmbeddingCache, MemoryEmbeddingCache, NoEmbeddingCache
from rag_core.cache.epochs import BelievedEpochs, Epoch, EpochSource, ReadEpochs, SharedEpochs
from rag_core.cache.keys import answer_key, context_key, embedding_key, flight_key, user_key
from rag_core.cache.policy import Decision, decide
from rag_core.cache.single_flight import (
    Emit, FleetFlight, FleetWork, Flight, NoFleet, SingleFlight, Work,
)
from rag_core.cache.stats import CacheSize, CacheStats, LevelStats
from rag_core.cache.token_counts import RememberedCounts

__all__ = [
    "VERSION", "AnswerCache", "AnswerTtl", "BelievedEpochs", "CacheSize", "CacheStats",
    "CachedAnswer", "Caches", "ContextCache", "Decision", "EmbeddingCache", "Emit", "Epoch",
    "EpochSource", "FleetFlight", "FleetWork", "Flight", "LevelStats", "Lookup",
    "MemoryAnswerCache", "MemoryEmbeddingCache", "NoAnswerCache", "NoEmbeddingCache", "NoFleet",
    "ReadEpochs", "RememberedCounts", "SharedEpochs", "SingleFlight", "Work", "answer_key",
    "context_bytes", "context_key", "decide", "decode_answer", "decode_cached", "embedding_key",
    "encode", "flight_key", "user_key",
]
