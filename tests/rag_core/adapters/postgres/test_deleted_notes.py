"""What Postgres keeps of a deleted note."""

from __future__ import annotations

from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import UserId
from tests.rag_core.adapters.postgres.note_saves import save
from tests.rag_core.library import epoch_of, note, rows


async def test_a_deleted_note_is_kept_softly_without_its_chunks(
    database: Database, user: UserId
) -> None:
    await save(database, user, note("grace"), note("storm"))
    assert await PostgresNotes(database).delete(user, "grace")
    kept = await rows(
        database, "SELECT body FROM notes WHERE user_id = %s AND deleted_at IS NOT NULL", user
    )
    assert kept == [(note("grace").body,)]
    for table in ("chunks", "chunk_vectors", "chunk_words", "note_chunks"):
        left = await rows(database, f"SELECT note_id FROM {table} WHERE user_id = %s", user)
        assert left == [("storm",)]


async def test_deleting_a_note_of_an_unknown_user_makes_no_user(
    database: Database, user: UserId
) -> None:
    assert not await PostgresNotes(database).delete(user, "grace")
    assert await epoch_of(database, user) is None
