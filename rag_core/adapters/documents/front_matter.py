"""Plain text and Markdown, with YAML front matter or without."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from rag_core.adapters.documents.extras import needed
from rag_core.adapters.documents.parsed import Parsed
from rag_core.domain.notes import Verses
from rag_core.errors import InvalidInput

_FRONT = re.compile(
    r"\A---[ \t]*\r?\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE
)
_MAX_FRONT_CHARACTERS = 20_000
_NAMES = {
    "author": ("author", "authors", "speaker", "preacher"),
    "date": ("date", "created"),
    "tags": ("tags", "keywords", "categories"),
    "verses": ("verses", "verse", "scripture", "passage", "reference"),
}
"""Keys of front matter, by the field of a note that they fill; the first that is there counts."""
_VERSES = re.compile(r"\s*(.*\S)\s+(\d+)[:.](\d+)(?:\s*[-–]\s*(\d+))?\s*")
_ENCODINGS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def parse_text(content: bytes) -> Parsed:
    """The text without its front matter, and what that says.

    Raises:
        InvalidInput: it is not text, or its front matter cannot be understood.
        ConfigurationError: it has front matter, and nothing to read it with is installed.
    """
    text = decoded(content).replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front is None:
        return Parsed(text=text)
    return _with(_mapping(front[1]), text[front.end() :])


def decoded(content: bytes) -> str:
    """UTF-8, what a byte order mark says, or else Windows' code page for western Europe.

    Raises:
        InvalidInput: it is none of these.
    """
    encoding = next((name for mark, name in _ENCODINGS if content.startswith(mark)), "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        try:
            return content.decode("cp1252")
        except UnicodeDecodeError:
            problem = f"is not UTF-8 text: byte {error.start:,} is not part of a letter"
            raise InvalidInput("file", problem, "Save it as UTF-8") from None


def _mapping(front: str) -> Mapping[str, Any]:
    yaml = needed("yaml", "markdown")
    if len(front) > _MAX_FRONT_CHARACTERS:
        problem = f"is longer than {_MAX_FRONT_CHARACTERS:,} characters"
        raise InvalidInput("front matter", problem, "Shorten it")
    try:
        found = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = " ".join(str(error).split())[:200]
        raise InvalidInput("front matter", f"is not YAML: {problem}", "Mend it") from error
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise InvalidInput("front matter", "is not a list of names and values", "As: title: …")
    return {str(key).lower(): value for key, value in found.items()}


def _with(front: Mapping[str, Any], text: str) -> Parsed:
    return Parsed(
        text=text,
        id=_line(front.get("id")),
        title=_line(front.get("title")),
        author=", ".join(_list(_first(front, "author"))),
        date=_date(_first(front, "date")),
        tags=tuple(_list(_first(front, "tags"))),
        verses=tuple(_verses(_first(front, "verses"))),
        said_in="front matter",
    )


def _first(front: Mapping[str, Any], field: str) -> Any:
    return next((front[name] for name in _NAMES[field] if name in front), None)


def _line(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _list(value: Any) -> list[str]:
    """A list's texts, or those of a line that commas part."""
    if isinstance(value, dict):
        raise InvalidInput("front matter", "has names where a list is wanted", "As: tags: [a, b]")
    parts = value if isinstance(value, list) else _line(value).split(",")
    return list(dict.fromkeys(filter(None, map(_line, parts))))


def _date(value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(_line(value)[:10])
    except ValueError:
        raise InvalidInput(
            "front matter", f"date {_line(value)[:40]!r} is none", "As: 2024-05-12"
        ) from None


def _verses(value: Any) -> Iterator[Verses]:
    for each in value if isinstance(value, list) else _line(value).split(";"):
        if isinstance(each, list):
            each = "{} {}:{}-{}".format(*each) if len(each) == 4 else _line(each)
        found = _VERSES.fullmatch(_line(each))
        if found:
            book, chapter, first, last = found.groups()
            yield Verses(book, int(chapter), int(first), int(last or first))
        elif _line(each):
            problem = f"{_line(each)[:40]!r} is no range of verses"
            raise InvalidInput("front matter", problem, "As: verses: [Romans 8:1-4]")
