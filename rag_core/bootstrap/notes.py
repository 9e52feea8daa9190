"""The notes of the database that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres import PostgresNotes
from rag_core.bootstrap.database import database_alone
from rag_core.settings import Settings


@asynccontextmanager
async def open_notes(settings: Settings) -> AsyncIterator[PostgresNotes]:
    """Stored notes to be read, without a pipeline; raises what `database_alone` raises."""
    patience_s = settings.database_write_timeout_s  # all of a user's notes at once
    async with database_alone(settings, read_timeout_s=patience_s) as database:
        yield PostgresNotes(database)
