"""The application as the tests of its routes ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rag_core.adapters.postgres import Database
from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import StackUrls
from rag_core.settings import Settings
from tests.rag_core.app.house import House, open_house
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.library import note
from tests.rag_core.scene import settings_for


@pytest.fixture
def settings(database_url: str) -> Settings:
    return settings_for(database_url, import_characters=5_000, ingest_worker=False)


@pytest.fixture
async def served(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Served]:
    """The user has one note, on grace."""
    async with open_served(settings, user, tokenizer) as served:
        (await served.put(note("grace"))).raise_for_status()
        served.events.clear()
        yield served


@pytest.fixture
async def house(
    database_url: str, stack: StackUrls, database: Database, tokenizer: Tokenizer
) -> AsyncIterator[House]:
    async with open_house(database_url, stack.redis_url, database, tokenizer) as house:
        yield house
