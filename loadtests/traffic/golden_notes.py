"""Notes for the people of a load test: short ones of the golden data, as their users wrote them."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import msgspec

GOLDEN = Path(__file__).parents[2] / "golden"
MAX_CHARACTERS = 1_600
"""Characters of the longest note that is taken: two or three chunks, so that a thousand people
have their notes within a minute or two."""

_HEADING = re.compile(r"^## (?:.*?· )?(.+)$", re.MULTILINE)


class GoldenNote(msgspec.Struct, frozen=True, dict=True):
    """A note as the golden data have it."""

    id: str
    title: str
    body: str
    author: str = ""
    date: str | None = None
    tags: tuple[str, ...] = ()

    @cached_property
    def subjects(self) -> tuple[str, ...]:
        """What it is about, in the words of its title and headings."""
        named = [self.title.partition(": ")[2] or self.title, *_HEADING.findall(self.body)]
        return tuple(dict.fromkeys(name.strip().rstrip(".") for name in named))


def short_notes(folder: Path = GOLDEN) -> list[GoldenNote]:
    """All golden notes of at most `MAX_CHARACTERS`, in the order of files and lines.

    Raises:
        FileNotFoundError: the folder holds no such note.
    """
    files = sorted((folder / "notes").glob("*.jsonl"))
    lines = (line for file in files for line in file.read_bytes().splitlines())
    notes = [msgspec.json.decode(line, type=GoldenNote) for line in lines]
    short = [note for note in notes if len(note.body) <= MAX_CHARACTERS]
    if not short:
        raise FileNotFoundError(f"{folder}/notes holds no note of {MAX_CHARACTERS} characters")
    return short
