"""A note's version follows everything it says."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from rag_core.notes import Note, Verses

NOTE = Note(
    id="n1",
    title="On rest",
    body="God rested.",
    author="M. Henry",
    date=date(2026, 3, 1),
    tags=("rest",),
    verses=(Verses("Gen", 2, 1, 3),),
)


@pytest.mark.parametrize(
    "edited",
    [
        replace(NOTE, title="On work"),
        replace(NOTE, body="God rested!"),
        replace(NOTE, author=""),
        replace(NOTE, date=None),
        replace(NOTE, date=date(2026, 3, 2)),
        replace(NOTE, tags=("rest", "day")),
        replace(NOTE, verses=(Verses("Gen", 2, 1, 4),)),
        replace(NOTE, title="", body="On restGod rested."),
    ],
)
def test_every_edit_gives_another_version(edited: Note) -> None:
    assert edited.version != NOTE.version


def test_equal_notes_have_equal_versions_under_any_id() -> None:
    assert replace(NOTE).version == replace(NOTE, id="n2").version == NOTE.version
    assert len(NOTE.version) == 64


def test_verses_are_written_as_people_write_them() -> None:
    assert str(Verses("Gen", 2, 1, 3)) == "Gen 2:1-3"
    assert str(Verses("1 John", 4, 8, 8)) == "1 John 4:8"
