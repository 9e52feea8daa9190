"""A note's version follows everything it says, and every field of it is bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from rag_core.domain import Note, Verses, check_note
from rag_core.errors import InvalidInput

NOTE = Note(
    id="n1",
    title="On rest",
    body="God rested.",
    author="M. Henry",
    date=date(2026, 3, 1),
    tags=("rest",),
    verses=(Verses("Gen", 2, 1, 3),),
)


def test_every_edit_gives_another_version() -> None:
    for edited in [
        replace(NOTE, title="On work"),
        replace(NOTE, body="God rested!"),
        replace(NOTE, author=""),
        replace(NOTE, date=None),
        replace(NOTE, date=date(2026, 3, 2)),
        replace(NOTE, tags=("rest", "day")),
        replace(NOTE, verses=(Verses("Gen", 2, 1, 4),)),
        replace(NOTE, title="", body="On restGod rested."),
    ]:
        assert edited.version != NOTE.version


def test_equal_notes_have_equal_versions_under_any_id() -> None:
    assert replace(NOTE).version == replace(NOTE, id="n2").version == NOTE.version
    assert len(NOTE.version) == 64


def test_verses_are_written_as_people_write_them() -> None:
    assert str(Verses("Gen", 2, 1, 3)) == "Gen 2:1-3"
    assert str(Verses("1 John", 4, 8, 8)) == "1 John 4:8"


HALF = "\ud83d"
OUT_OF_BOUNDS: dict[str, tuple[str, Any]] = {
    "an empty id": ("id", " \n"),
    "an endless id": ("id", "x" * 201),
    "half of a surrogate pair in the id": ("id", HALF),
    "NUL in the id": ("id", "a\0b"),
    "an endless title": ("title", "x" * 501),
    "half of a surrogate pair in the title": ("title", f"On {HALF}"),
    "NUL in the title": ("title", "On\0rest"),
    "an endless author": ("author", "x" * 501),
    "half of a surrogate pair in the author": ("author", HALF),
    "NUL in the author": ("author", "\0"),
    "a body of blanks": ("body", " \n\t"),
    "a body too long": ("body", "x" * 1_000_001),
    "half of a surrogate pair in the body": ("body", f"God rested. {HALF}"),
    "NUL in the body": ("body", "God\0rested."),
    "too many tags": ("tags", ("rest",) * 51),
    "an endless tag": ("tags", ("x" * 101,)),
    "half of a surrogate pair in a tag": ("tags", ("rest", HALF)),
    "NUL in a tag": ("tags", ("rest", "\0")),
    "too many verses": ("verses", (Verses("Gen", 2, 1, 3),) * 201),
    "an endless book": ("verses", (Verses("x" * 101, 2, 1, 3),)),
    "half of a surrogate pair in a book": ("verses", (Verses(HALF, 2, 1, 3),)),
    "NUL in a book": ("verses", (Verses("G\0en", 2, 1, 3),)),
    "a chapter that no integer column takes": ("verses", (Verses("Gen", 2**63, 1, 3),)),
    "a verse beyond any book": ("verses", (Verses("Gen", 2, 1, 10_001),)),
    "a negative chapter": ("verses", (Verses("Gen", -1, 1, 3),)),
    "a negative verse": ("verses", (Verses("Gen", 2, -1, 3),)),
    "verses backwards": ("verses", (Verses("Gen", 2, 3, 1),)),
    "a date with a time": ("date", datetime(2026, 3, 1, 10, 30)),
}


def test_a_field_out_of_bounds_is_refused_by_name_and_with_a_fix(subtests: pytest.Subtests) -> None:
    for field, value in OUT_OF_BOUNDS.values():
        with subtests.test(field=field, value=value):
            with pytest.raises(InvalidInput) as raised:
                check_note(replace(NOTE, **{field: value}))
            assert raised.value.field.endswith(f", field {field}")
            assert raised.value.fix
            message = str(raised.value)
            assert len(message) < 400
            assert "\n" not in message
            assert message.encode(), "it can be printed"


def test_the_note_is_named_where_nothing_else_is() -> None:
    with pytest.raises(InvalidInput, match=r"^note 'n1', field title: .*500"):
        check_note(replace(NOTE, title="x" * 501))
    with pytest.raises(InvalidInput, match=r"^line 7, field title: .*500"):
        check_note(replace(NOTE, title="x" * 501), "line 7")


def test_what_is_just_within_every_bound_is_taken() -> None:
    check_note(NOTE)
    check_note(Note("n", "", "x"))
    check_note(
        Note(
            "\U0001f54a" * 200,
            "x" * 500,
            "\U0001f54a" * 1_000_000,
            "x" * 500,
            date.min,
            ("x" * 100,) * 50,
            (Verses("x" * 100, 10_000, 0, 10_000),) * 200,
        )
    )
