"""The failed jobs of the database that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres.dead_letters import DeadLetters
from rag_core.bootstrap.database import database_alone
from rag_core.settings import Settings


@asynccontextmanager
async def open_dead_letters(settings: Settings) -> AsyncIterator[DeadLetters]:
    """Failed jobs to be listed and tried again; raises what `database_alone` raises."""
    patience_s = settings.database_write_timeout_s
    async with database_alone(settings, read_timeout_s=patience_s) as database:
        yield DeadLetters(database)
