"""A deleted note is gone at once, and purged for good later."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from rag_core.domain import UserId
from tests.rag_core.adapters.note_backend import Backend
from tests.rag_core.library import note


async def test_a_deleted_note_is_gone_at_once(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"), note("storm"))
    assert await backend.store.delete(user, "grace")
    assert list((await backend.store.stored_notes(user)).notes) == ["storm"]
    assert await backend.store.read(user) == [note("storm")]
    assert await backend.store.vectors(user, ["grace"]) == {}
    assert await backend.found(user, "unearned grace is a gift") == ["storm"]


async def test_deleting_what_is_not_there_is_false_and_changes_nothing(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    await backend.write(user, note("grace"), note("storm"))
    await backend.store.delete(user, "grace")
    before = await backend.state(user)
    assert not await backend.store.delete(user, "grace")
    assert not await backend.store.delete(user, "never there")
    assert not await backend.store.delete(other_user, "storm")
    assert await backend.state(user) == before
    assert await backend.epochs.epoch(other_user) is None


async def test_of_two_who_delete_a_note_at_once_one_has_done_it(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    done = await asyncio.gather(*(backend.store.delete(user, "grace") for _ in range(2)))
    assert sorted(done) == [False, True]


async def test_a_deleted_note_that_is_written_again_is_back(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    await backend.store.delete(user, "grace")
    await backend.write(user, note("grace"))
    assert await backend.store.read(user) == [note("grace")]
    assert await backend.found(user, "grace") == ["grace"]


async def test_purging_removes_for_good_what_was_deleted_before(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    await backend.write(user, note("grace"), note("storm"))
    await backend.write(other_user, note("grace"))
    await backend.store.delete(user, "grace")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert await backend.store.purge(user, later - timedelta(days=1)) == 0
    assert user in await backend.store.deleted(later)
    assert other_user not in await backend.store.deleted(later)
    assert await backend.store.purge(user, later) == 1
    assert user not in await backend.store.deleted(later)
    assert await backend.store.read(user) == [note("storm")]
    await backend.write(user, note("grace"))
    assert await backend.store.read(user) == [note("grace"), note("storm")]
