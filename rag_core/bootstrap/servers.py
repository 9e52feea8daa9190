"""The servers that the settings name, or embedded ones in their place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rag_core.settings import Settings, secret


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are; without a Redis URL the caches are in this process."""

    database_url: str
    redis_url: str | None


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[Servers]:
    """The servers that `settings` name; those they do not are embedded, and migrated."""
    database_url = secret(settings.database_url)
    redis_url = secret(settings.redis_url) if settings.cache != "memory" else None
    embed_valkey = settings.cache == "redis" and not redis_url
    if database_url and not embed_valkey:
        yield Servers(database_url, redis_url)
        return
    from rag_core.embedded import embedded_stack

    async with embedded_stack(
        settings.home, postgres=not database_url, valkey=embed_valkey
    ) as urls:
        if not database_url:
            from rag_core.migrations import migrate

            database_url = urls.database_url
            await asyncio.to_thread(migrate, database_url)
        yield Servers(database_url, urls.redis_url if embed_valkey else redis_url)
