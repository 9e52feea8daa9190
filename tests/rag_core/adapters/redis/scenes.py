"""Scenes of the whole application with its caches on Redis."""

from __future__ import annotations

from typing import Any

from rag_core.adapters.redis import RedisClient, primaries
from rag_core.domain import Provenance, UserId
from rag_core.settings import Settings
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION, Scene, settings_for

HARVEST = "What is the harvest short of?"
NOTES = (note("grace"), note("storm"), note("harvest"))
FRESH, CACHED, REVALIDATED, STALE, NO_CONTEXT = (
    Provenance.FRESH,
    Provenance.CACHED,
    Provenance.REVALIDATED,
    Provenance.STALE,
    Provenance.NO_CONTEXT,
)


def settings_on(database_url: str, redis_url: str, **changes: Any) -> Settings:
    """Settings with caches on Redis, and time enough for them."""
    options = {"cache": "redis", "redis_url": redis_url, "redis_budget_s": PATIENCE_S} | changes
    return settings_for(database_url, **options)


async def provenances(
    scene: Scene, question: str = QUESTION, *, times: int = 1
) -> list[Provenance]:
    return [(await scene.ask(question)).provenance for _ in range(times)]


async def keys_of(client: RedisClient, pattern: str) -> set[str]:
    """All keys that match, on every server."""
    return {
        key.decode()
        for server in await primaries(client.driver)
        async for key in server.scan_iter(match=pattern, count=1000)
    }


async def user_keys(client: RedisClient, user: UserId, kind: str) -> set[str]:
    """The user's keys of one kind."""
    return await keys_of(client, f"rag:{{{user}}}:{kind}:*")
