"""The database that the settings name, for a command that needs nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres import Database, open_database
from rag_core.bootstrap.servers import servers
from rag_core.settings import Settings


@asynccontextmanager
async def database_alone(settings: Settings, *, read_timeout_s: float) -> AsyncIterator[Database]:
    """One connection to read and one to write: no model is loaded and Redis is not asked.

    Raises:
        DatabaseUnavailable: no connection in time.
        ConfigurationError: the database has not been migrated yet.
    """
    async with (
        servers(settings) as urls,
        open_database(
            urls.database_url,
            read_connections=1,
            write_connections=1,
            read_timeout_s=read_timeout_s,
            write_timeout_s=settings.database_write_timeout_s,
            prepare=settings.database_prepare,
        ) as database,
    ):
        yield database
