"""Whether a Redis is as a cache should be: reached, writable, bounded, and giving up old keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from rag_core.adapters.redis.connect import open_driver, primaries
from rag_core.domain.findings import Finding, fail, ok, warn
from rag_core.domain.server_url import target, without_secrets
from rag_core.errors import CacheUnavailable

_SETTING = "RAG_REDIS_URL"
_LRU = "Set maxmemory-policy allkeys-lru"


async def examine(url: str) -> list[Finding]:
    """Everything that a first look can tell of the Redis at `url`, by a connection of its own.

    A key of a second's life is written. The caller bounds the time.

    Raises:
        CacheUnavailable: it cannot be reached; says why, without secrets.
    """
    driver = open_driver(url, max_connections=1)
    try:
        client, *_ = await primaries(driver)  # of a cluster one node speaks for all
        began = time.perf_counter()
        await client.ping()
        took_ms = 1000 * (time.perf_counter() - began)
        facts = await client.info()
        where = f"{_kind(facts)} at {target(url)}, {took_ms:.0f} ms"
        return [ok("redis", where), await _of_writing(client, url), *_of_memory(facts)]
    except (RedisError, OSError) as error:
        reason = without_secrets(str(error), url)
        raise CacheUnavailable(
            f"Redis at {target(url)} cannot be used: {reason}", _fix_of(error)
        ) from error
    finally:
        await driver.aclose()


def _fix_of(error: Exception) -> str:
    if isinstance(error, ResponseError) or re.search("auth|password", str(error), re.IGNORECASE):
        return f"Check user, password and their rights in {_SETTING}"
    return f"Check host and port in {_SETTING}, and that Redis is running there"


def _kind(facts: Mapping[str, Any]) -> str:
    name = "Valkey" if "valkey_version" in facts else "Redis"
    version = facts.get("valkey_version") or facts.get("redis_version", "?")
    return f"{name} {version}" + (", a cluster's node," if facts.get("cluster_enabled") else "")


async def _of_writing(client: Redis, url: str) -> Finding:
    """MOVED is an answer of a cluster's node: the key lives on another one."""
    try:
        await client.set(f"rag:doctor:{uuid4().hex}", b"1", px=1000)
    except ResponseError as error:
        if not str(error).startswith("MOVED"):
            reason = without_secrets(str(error), url)
            return fail("redis", f"takes no writes: {reason}", _writing_fix(reason))
    return ok("redis", "takes writes")


def _writing_fix(reason: str) -> str:
    if "OOM" in reason or "maxmemory" in reason:
        return f"It is full. {_LRU}"
    if "READONLY" in reason or "replica" in reason:
        return f"Name the primary in {_SETTING}"
    return "Give the user in its URL the right to write"


def _of_memory(facts: Mapping[str, Any]) -> Iterator[Finding]:
    limit, policy = facts.get("maxmemory", 0), facts.get("maxmemory_policy", "unknown")
    if not limit:
        yield warn("redis", "has no limit to its memory", f"Set maxmemory; {_LRU}")
    elif policy == "noeviction":
        yield warn("redis", f"is full at {limit / 1e6:.0f} MB: noeviction", _LRU)
    else:
        yield ok("redis", f"{limit / 1e6:.0f} MB, {policy}")
