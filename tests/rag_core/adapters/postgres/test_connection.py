"""Hanging up on a server that does not reply in time."""

from __future__ import annotations

import pytest

from rag_core.adapters.postgres import open_database
from rag_core.errors import DatabaseUnavailable
from tests.servers import chosen


async def test_who_hung_up_says_that_the_time_was_up_and_not_that_the_server_is_gone(
    database_url: str,
) -> None:
    async with open_database(database_url, read_timeout_s=2, prepare=chosen.PREPARE) as database:
        with pytest.raises(DatabaseUnavailable, match="did not answer in time"):
            await database.fetch("SELECT pg_sleep(3600)")
        assert await database.fetch("SELECT 1") == [(1,)]
