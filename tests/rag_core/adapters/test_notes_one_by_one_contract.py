"""Reading and deleting single notes: in memory as in Postgres."""

from __future__ import annotations

from datetime import date

import pytest

from rag_core.domain import Condition, Note, NoteHead, UserId
from rag_core.errors import PreconditionFailed
from tests.rag_core.adapters.note_backend import Backend
from tests.rag_core.library import library, note


async def test_one_note_is_read_by_its_id_and_only_by_its_user(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    grace = note("grace", author="Ruth", date=date(2026, 5, 3), tags=("a",))
    await backend.write(user, grace, note("storm"))
    assert await backend.store.note(user, "grace") == grace
    assert await backend.store.note(user, "never there") is None
    assert await backend.store.note(other_user, "grace") is None
    await backend.store.delete(user, "grace")
    assert await backend.store.note(user, "grace") is None


async def test_pages_follow_each_other_in_order_of_id_without_gap_or_repeat(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    notes = library(7)
    await backend.write(user, *notes)
    await backend.write(other_user, note("grace"))
    await backend.store.delete(user, "note-0003")
    seen: list[NoteHead] = []
    while page := await backend.store.page(user, after=seen[-1].id if seen else "", most=2):
        assert len(page) <= 2
        seen += page
    left = [each for each in notes if each.id != "note-0003"]
    assert [(head.id, head.version, head.title) for head in seen] == [
        (each.id, each.version, each.title) for each in left
    ]


async def test_a_page_says_of_a_note_what_stands_above_it(backend: Backend, user: UserId) -> None:
    grace = note("grace", author="Ruth", date=date(2026, 5, 3), tags=("a", "b, c"))
    await backend.write(user, grace)
    assert await backend.store.page(user) == [
        NoteHead("grace", grace.version, grace.title, "Ruth", date(2026, 5, 3), ("a", "b, c"))
    ]


async def test_a_note_is_deleted_only_in_the_version_that_was_named(
    backend: Backend, user: UserId
) -> None:
    """And where it is another one, the error says which, and nothing changes."""
    old, new = note("grace"), note("grace", "Grace abounds. It is not earned.")
    await backend.write(user, new)
    before = await backend.state(user)
    with pytest.raises(PreconditionFailed) as refused:
        await backend.store.delete(user, "grace", _only(old))
    assert refused.value.stored == new.version
    assert await backend.state(user) == before
    assert await backend.store.delete(user, "grace", _only(old, new))
    with pytest.raises(PreconditionFailed) as gone:
        await backend.store.delete(user, "grace", _only(new))
    assert gone.value.stored is None


def _only(*notes: Note) -> Condition:
    return Condition(versions=frozenset(each.version for each in notes))
