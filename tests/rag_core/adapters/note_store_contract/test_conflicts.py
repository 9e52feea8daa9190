"""A note is written over the version that its writer saw, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag_core.domain import StoredNotes, UserId
from tests.rag_core.adapters.note_backend import Backend, expecting
from tests.rag_core.library import note


async def test_a_note_is_written_over_the_version_that_its_writer_saw(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    seen = await backend.store.stored_notes(user, ["grace", "storm"])
    items = await backend.embedded(note("grace", "Edited."), note("storm"))
    assert await backend.put(user, expecting(items, seen)) == []
    assert await backend.store.read(user) == [note("grace", "Edited."), note("storm")]


@pytest.mark.parametrize("meanwhile", ["edited", "deleted", "written"])
async def test_what_was_changed_meanwhile_is_left_as_it_is_and_named(
    backend: Backend, user: UserId, meanwhile: str
) -> None:
    """And the notes beside it are written."""
    if meanwhile != "written":
        await backend.write(user, note("grace"))
    seen = await backend.store.stored_notes(user)
    if meanwhile == "deleted":
        await backend.store.delete(user, "grace")
    else:
        await backend.write(user, note("grace", "Edited by someone else."))
    theirs = await backend.store.read(user)
    stored = (await backend.store.stored_notes(user)).notes.get("grace")
    items = await backend.embedded(note("grace", "An older edition."), note("storm"))
    (conflict,) = await backend.put(user, expecting(items, seen))
    assert (conflict.note_id, conflict.stored) == ("grace", stored)
    assert await backend.store.read(user) == [*theirs, note("storm")]


async def test_a_conflict_says_when_the_other_change_was_made(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    edited_after = datetime.now(UTC) - timedelta(seconds=1)
    await backend.write(user, note("grace", "Edited."))
    (edit,) = await backend.put(user, await backend.embedded(note("grace")))
    await backend.store.delete(user, "grace")
    stale = expecting(
        await backend.embedded(note("grace")), StoredNotes({"grace": edit.stored}, None)
    )
    (deletion,) = await backend.put(user, stale)
    assert edited_after <= edit.changed_at <= deletion.changed_at <= datetime.now(UTC)


async def test_where_every_note_conflicts_nothing_changes(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    before = await backend.state(user)
    assert await backend.put(user, await backend.embedded(note("grace", "Too late.")))
    assert await backend.state(user) == before
