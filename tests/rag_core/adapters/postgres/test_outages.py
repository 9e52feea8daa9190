"""A server that freezes, and connections that are cut."""

from __future__ import annotations

import pytest

from rag_core.adapters.postgres import PostgresNotes, open_database
from rag_core.domain import UserId
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.adapters.postgres.note_saves import save
from tests.rag_core.library import epoch_of, note
from tests.servers.counting_proxy import counting_proxy


async def test_a_frozen_server_ends_reads_and_saves_in_their_time_and_the_next_succeeds(
    own_database: str, user: UserId
) -> None:
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=0.3, write_timeout_s=0.3) as database,
    ):
        await save(database, user, note("grace"))
        proxy.freeze()
        with pytest.raises(DatabaseUnavailable):
            await epoch_of(database, user)
        with pytest.raises(DatabaseUnavailable):
            await PostgresNotes(database).delete(user, "grace")
        proxy.resume()
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=0.3, write_timeout_s=5) as database,
    ):
        proxy.freeze()
        with pytest.raises(DatabaseUnavailable):
            await epoch_of(database, user)
        proxy.resume()
        patient = PostgresNotes(database)
        assert await patient.delete(user, "grace")


async def test_connections_that_were_cut_are_replaced_without_anybody_noticing(
    own_database: str, user: UserId
) -> None:
    async with (
        counting_proxy(own_database) as proxy,
        open_database(proxy.url, read_timeout_s=30, write_timeout_s=30) as database,
    ):
        await save(database, user, note("grace"))
        before = await epoch_of(database, user)
        for _ in range(3):
            proxy.cut()
            assert await epoch_of(database, user) == before
            proxy.cut()
            await save(database, user, note("storm", f"Edited after {before}."))
            before = await epoch_of(database, user)
