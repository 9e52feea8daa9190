"""Note files: every note is read whole, and every mistake is named by line and field."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from rag_core.adapters.documents import read_notes
from rag_core.domain import Note, Verses
from rag_core.errors import InvalidInput

GOOD: dict[str, Any] = {"id": "first", "title": "On grace", "body": "Grace is a gift."}


def line(**fields: Any) -> bytes:
    return json.dumps(GOOD | {"id": "second"} | fields).encode()


def without(field: str) -> bytes:
    return json.dumps({name: value for name, value in GOOD.items() if name != field}).encode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notes.jsonl"


def test_a_note_is_read_with_all_its_fields(file: Path) -> None:
    verses = [["Gen", 4, 1, 7], ["Gen", 4, 8, 8]]
    file.write_bytes(
        line(body="Grâce \N{RAINBOW}", author="Ruth", date="2026-05-03", tags=["a"], verses=verses)
    )
    assert read_notes(file) == [
        Note(
            "second",
            "On grace",
            "Grâce \N{RAINBOW}",
            "Ruth",
            date(2026, 5, 3),
            ("a",),
            (Verses("Gen", 4, 1, 7), Verses("Gen", 4, 8, 8)),
        )
    ]


def test_empty_lines_line_ends_of_windows_and_a_byte_order_mark_do_no_harm(file: Path) -> None:
    first = json.dumps(GOOD).encode()
    file.write_bytes(b"\xef\xbb\xbf" + first + b"\r\n\r\n  \n" + line(date=None) + b"\n\n")
    assert [note.id for note in read_notes(file)] == ["first", "second"]


def test_notes_keep_the_order_of_the_file(file: Path) -> None:
    file.write_bytes(b"\n".join(line(id=name) for name in "cab"))
    assert [note.id for note in read_notes(file)] == ["c", "a", "b"]


MISTAKES: dict[str, tuple[bytes, str, str]] = {
    "cut off": (b'{"id": "second", "title": "On', "", "not valid JSON"),
    "trailing comma": (b'{"id": "second",}', "", "not valid JSON"),
    "two objects on a line": (line() + line(), "", "not valid JSON"),
    "no object": (b"[1, 2]", "", "Expected `object`"),
    "not UTF-8": (line(body="gr\u00fc\u00dfe").replace(b"\\u00fc", b"\xfc"), "", "not valid JSON"),
    "half of a surrogate pair": (line().replace(b"gift", b"\\ud83d"), "", "not valid JSON"),
    "no id": (without("id"), "id", "missing required field"),
    "no title": (without("title"), "title", "missing required field"),
    "no body": (without("body"), "body", "missing required field"),
    "a mistyped field": (line(tag=["x"]), "tag", "unknown field"),
    "a number for a title": (line(title=5), "title", "Expected `str`, got `int`"),
    "null for a body": (line(body=None), "body", "Expected `str`, got `null`"),
    "a text for tags": (line(tags="faith"), "tags", "Expected `array`, got `str`"),
    "a number among tags": (line(tags=["faith", 3]), "tags[1]", "Expected `str`, got `int`"),
    "a month that is none": (line(date="2026-13-01"), "date", '"2024-05-12"'),
    "a day that is none": (line(date="2026-02-30"), "date", '"2024-05-12"'),
    "a date as people write it": (line(date="3 May 2026"), "date", '"2024-05-12"'),
    "a date with a time": (line(date="2026-05-03T10:00:00"), "date", '"2024-05-12"'),
    "an empty id": (line(id=" "), "id", "1 to 200 characters"),
    "an endless id": (line(id="x" * 201), "id", "1 to 200 characters"),
    "an endless title": (line(title="x" * 501), "title", "more than 500 characters"),
    "an empty body": (line(body=" \n\t"), "body", "is empty"),
    "a body of 5 MB": (line(body="x" * 5_000_000), "body", "5,000,000 characters"),
    "NUL in the body": (line(body="a\0b"), "body", "NUL character"),
    "NUL in the id": (line(id="a\0b"), "id", "NUL character"),
    "NUL in a tag": (line(tags=["a\0b"]), "tags", "NUL character"),
    "NUL in a book": (line(verses=[["G\0en", 4, 1, 7]]), "verses", "NUL character"),
    "verses cut short": (line(verses=[["Gen", 4, 1]]), "verses[0]", "length 4"),
    "a word for a chapter": (
        line(verses=[["Gen", "four", 1, 7]]),
        "verses[0][1]",
        "Expected `int`",
    ),
    "verses backwards": (line(verses=[["Gen", 4, 7, 1]]), "verses", "not a range of verses"),
    "a negative chapter": (line(verses=[["Gen", -4, 1, 7]]), "verses", "not a range of verses"),
    "a chapter beyond any integer": (
        line(verses=[["Gen", 10**300, 1, 7]]),
        "verses",
        "above 10,000",
    ),
    "too many tags": (line(tags=["x"] * 51), "tags", "more than 50"),
    "brackets without end": (b"[" * 1_000_000, "", "Expected `object`"),
    "braces without end": (b'{"id":' * 1_000_000, "id", "Expected `str`"),
    "tags within tags": (
        line()[:-1] + b', "tags": ' + b"[" * 1_000_000,
        "tags[0]",
        "Expected `str`",
    ),
    "an endless name of a field": (line(**{"k" * 100_000: 1}), "k" * 200 + "…", "unknown field"),
    "a line break in the name of a field": (line(**{"a\nb": 1}), "", "unknown field `a b`"),
    "a line beyond measure": (b"x" * 20_000_000, "", "longer than 16,000,000 bytes"),
    "an id used before": (line(id="first"), "id", "earlier line"),
}


@pytest.mark.parametrize(("mistake", "field", "problem"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_by_file_line_and_field(
    file: Path, mistake: bytes, field: str, problem: str
) -> None:
    file.write_bytes(json.dumps(GOOD).encode() + b"\n\n" + mistake + b"\n")
    with pytest.raises(InvalidInput) as raised:
        read_notes(file)
    expected = f"{file} line 3" + (f", field {field}" if field else "")
    assert raised.value.field == expected
    assert problem in str(raised.value)
    assert len(str(raised.value)) < 800, "the message shows no novel"
    assert "\n" not in str(raised.value)


def test_the_longest_body_allowed_is_read(file: Path) -> None:
    file.write_bytes(line(body="x" * 1_000_000))
    assert len(read_notes(file)[0].body) == 1_000_000


def test_the_longest_note_allowed_is_read_however_it_is_escaped(file: Path) -> None:
    """Twelve bytes a character: json.dumps writes an emoji as a pair of escapes."""
    longest = line(body="\U0001f54a" * 1_000_000, title="\U0001f54a" * 500)
    file.write_bytes(b"\xef\xbb\xbf" + longest + b"\r\n" + json.dumps(GOOD).encode())
    assert [len(note.body) for note in read_notes(file)] == [1_000_000, len(GOOD["body"])]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_a_file_without_notes_is_a_mistake(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(InvalidInput, match="holds no notes"):
        read_notes(file)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"absent\.jsonl: cannot be read: No such file"):
        read_notes(tmp_path / "absent.jsonl")
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        read_notes(tmp_path)
