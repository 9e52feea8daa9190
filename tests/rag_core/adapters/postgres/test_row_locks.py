"""Saves that wait for locked rows: they give way, or take turns."""

from __future__ import annotations

import asyncio

import psycopg

from rag_core.adapters.postgres import Database, PostgresNotes, open_database
from rag_core.domain import Note, UserId
from tests.rag_core.adapters.postgres.note_saves import save
from tests.rag_core.library import epoch_of, note, rows


async def someone_waits_for_a_lock(database: Database) -> None:
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    while not await rows(database, waiting):
        pass


async def test_an_edit_by_plain_sql_and_a_save_at_once_are_both_done(
    database: Database, database_url: str, user: UserId
) -> None:
    """They lock rows in opposite order: the save gives way and tries again."""
    await save(database, user, note("grace"))
    async with await psycopg.AsyncConnection.connect(database_url) as other:
        await other.execute("SELECT FROM notes WHERE user_id = %s FOR UPDATE", (user,))
        saving = asyncio.create_task(save(database, user, note("grace", "Edited."), note("storm")))
        await someone_waits_for_a_lock(database)
        await other.execute("UPDATE notes SET title = 'By SQL' WHERE user_id = %s", (user,))
    await saving
    assert [kept.body for kept in await PostgresNotes(database).read(user)] == [
        "Edited.",
        note("storm").body,
    ]


async def test_saves_of_one_user_take_turns_without_taking_the_connections_of_others(
    own_database: str, user: UserId, other_user: UserId
) -> None:
    """Twenty saves wait for one that another process holds up; a question goes through."""
    async with open_database(own_database, write_timeout_s=30) as database:
        await save(database, user, note("grace"))
        await save(database, other_user, note("grace"))
        async with await psycopg.AsyncConnection.connect(own_database) as holder:
            await holder.execute("SELECT FROM users WHERE id = %s FOR UPDATE", (user,))
            saves = [
                asyncio.create_task(save(database, user, Note(f"{i}", "", f"Text {i}.")))
                for i in range(20)
            ]
            await someone_waits_for_a_lock(database)
            await save(database, other_user, note("storm"))
            assert await epoch_of(database, user)
            assert not any(one.done() for one in saves)
        await asyncio.gather(*saves)
    async with open_database(own_database) as database:
        assert len(await PostgresNotes(database).read(user)) == 21
