"""The notes of the database that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres import PostgresNotes, open_database
from rag_core.bootstrap.servers import servers
from rag_core.settings import Settings


@asynccontextmanager
async def open_notes(settings: Settings) -> AsyncIterator[PostgresNotes]:
    """Stored notes to be read, without a pipeline: no model is loaded and Redis is not asked.

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
            read_timeout_s=settings.database_write_timeout_s,  # all of a user's notes at once
            prepare=settings.database_prepare,
        ) as database,
    ):
        yield PostgresNotes(database)
