"""Caches on Redis or Valkey: an accelerator that may be slow, frozen or gone at any time."""

from __future__ import annotations

# fmt: off
from rag_core.adapters.redis.address import parse_address
from rag_core.adapters.redis.alert_log import RedisAlertLog
from rag_core.adapters.redis.answers import RedisAnswerCache
from rag_core.adapters.redis.breaker import RedisBreakerStore
from rag_core.adapters.redis.client import (
    CALL_TIMEOUT_S, CONCURRENT_CALLS, RedisClient, open_client,
)
from rag_core.adapters.redis.cluster import ClusterClient, owners_of_slots
from rag_core.adapters.redis.connect import Driver, open_driver, primaries
from rag_core.adapters.redis.embeddings import RedisEmbeddingCache
from rag_core.adapters.redis.fleet import LEASE_S, RESULT_S, RedisFleet
from rag_core.adapters.redis.ledger import LEDGER_TIMEOUT_S, RedisLedgerStore
from rag_core.adapters.redis.rates import RedisRateStore
from rag_core.adapters.redis.sessions import RedisSessions

__all__ = [
    "CALL_TIMEOUT_S", "CONCURRENT_CALLS", "LEASE_S", "LEDGER_TIMEOUT_S", "RESULT_S",
    "ClusterClient", "Driver", "RedisAlertLog", "RedisAnswerCache", "RedisBreakerStore",
    "RedisClient", "RedisEmbeddingCache", "RedisFleet", "RedisLedgerStore", "RedisRateStore",
    "RedisSessions", "open_client", "open_driver", "owners_of_slots", "parse_address", "primaries",
]
