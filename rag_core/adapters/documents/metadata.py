"""A file's note: what it says of itself, and what its text and its name tell beside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from rag_core.adapters.documents.parsed import Parsed
from rag_core.domain.notes import MAX_TITLE_CHARACTERS, Note, Verses
from rag_core.domain.references import named_verses

_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*?)[ \t]*#*$", re.MULTILINE)
_DAY = re.compile(r"(?<!\d)(\d{4})[-_.]?(\d{2})[-_.]?(\d{2})(?!\d)")
_LONGEST_FIRST_LINE = 100
"""Characters of a first line that may be a title; a longer one is a paragraph."""

Sources = Mapping[str, str]


def note_of(parsed: Parsed, note_id: str) -> tuple[Note, Sources]:
    """The note, and where each of its fields was taken from, in words.

    Args:
        note_id: of a file that gives itself none; its last part is the file's name.
    """
    title, title_from = _title(parsed, note_id)
    day, day_from = _date(parsed, note_id)
    verses, verses_from = _verses(parsed, title, title_from)
    sources = {"title": title_from, "date": day_from, "verses": verses_from}
    said = {"author": parsed.author, "tags": parsed.tags}
    sources |= {field: parsed.said_in for field, value in said.items() if value}
    note = Note(
        id=parsed.id or note_id,
        title=title.replace("\0", "")[:MAX_TITLE_CHARACTERS],
        body=parsed.text.replace("\0", "").strip(),
        author=parsed.author.replace("\0", "")[:MAX_TITLE_CHARACTERS],
        date=day,
        tags=parsed.tags,
        verses=verses,
    )
    return note, {field: source for field, source in sources.items() if source}


def _title(parsed: Parsed, note_id: str) -> tuple[str, str]:
    if parsed.title.strip():
        return " ".join(parsed.title.split()), parsed.said_in
    if heading := _HEADING.search(parsed.text):
        return heading[1], "its first heading"
    first = next(filter(None, map(str.strip, parsed.text.splitlines())), "")
    if 0 < len(first) <= _LONGEST_FIRST_LINE:
        return first, "its first line"
    name = note_id.rpartition("/")[2]
    return (name.rpartition(".")[0] or name).replace("_", " "), "its name"


def _date(parsed: Parsed, note_id: str) -> tuple[date | None, str]:
    """A date in the name was put there by somebody; a program writes a document's properties."""
    if parsed.date and parsed.said_in == "front matter":
        return parsed.date, parsed.said_in
    for year, month, day in _DAY.findall(note_id.rpartition("/")[2]):
        try:
            return date(int(year), int(month), int(day)), "its name"
        except ValueError:
            continue
    return parsed.date, parsed.said_in if parsed.date else ""


def _verses(parsed: Parsed, title: str, title_from: str) -> tuple[tuple[Verses, ...], str]:
    """Those that a title names are what a note is about; those in its words may be by the way."""
    if parsed.verses:
        return parsed.verses, parsed.said_in
    named = tuple(each for each in named_verses(title) if 0 < each.first <= each.last)
    return named, title_from if named else ""
