"""Rows of any type are read whole, and a mistake is named as deep as it lies."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from rag_core.adapters.documents import RowReader
from rag_core.errors import InvalidInput


class Verse(msgspec.Struct):
    book: str
    numbers: tuple[int, ...] = ()


class Sermon(msgspec.Struct):
    id: str = msgspec.field(name="_id")
    verses: tuple[Verse, ...] = ()


SERMONS = RowReader(Sermon, fix="See the manual", fixes={"verses": "Name a book"})


def test_rows_come_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "sermons.jsonl"
    file.write_bytes(b'\xef\xbb\xbf{"_id": "a"}\r\n\n{"_id": "b", "preacher": "Ruth"}')
    assert list(SERMONS.read(file)) == [
        (f"{file} line 1", Sermon("a")),
        (f"{file} line 3", Sermon("b")),
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"_id": 7}', "field _id: Expected `str`, got `int`. See the manual"),
        ('{"_id": "b", "verses": [{}]}', "field verses[0].book: Object missing"),
        ('{"_id": "b", "verses": [{"book": "Gen", "numbers": ["x"]}]}', "verses[0].numbers[0]: "),
        ('{"_id": "b", "verses": 1}', "Expected `array`, got `int`. Name a book"),
        ('{"_id": "a"}', "field _id: 'a' stands on an earlier line too. Use each id once"),
        ("{", "is not valid JSON"),
    ],
)
def test_a_mistake_names_line_field_and_fix(tmp_path: Path, line: str, message: str) -> None:
    file = tmp_path / "sermons.jsonl"
    file.write_text('{"_id": "a"}\n' + line)
    with pytest.raises(InvalidInput) as refused:
        list(SERMONS.read(file))
    assert str(refused.value).startswith(f"{file} line 2")
    assert message in str(refused.value)


def test_a_row_of_another_format_is_checked_as_well() -> None:
    assert SERMONS.convert({"_id": "a"}, "row 1") == Sermon("a")
    with pytest.raises(InvalidInput, match="row 2, field _id: Expected `str`, got `null`"):
        SERMONS.convert({"_id": None}, "row 2")
