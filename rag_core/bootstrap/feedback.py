"""The feedback in the database that the settings name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rag_core.adapters.postgres import PostgresFeedback
from rag_core.bootstrap.database import database_alone
from rag_core.settings import Settings


@asynccontextmanager
async def open_feedback(settings: Settings) -> AsyncIterator[PostgresFeedback]:
    """What readers thought, without a pipeline; raises what `database_alone` raises."""
    patience_s = settings.database_write_timeout_s  # all of it may take a while
    async with database_alone(settings, read_timeout_s=patience_s) as database:
        yield PostgresFeedback(database)
