"""Sections: the parts of a note between its Markdown headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.*)$", re.MULTILINE)


class Section(NamedTuple):
    """A heading, if there is one, and what stands under it up to the next."""

    heading: str
    start: int
    """Where the heading's line begins."""
    text_start: int
    end: int
    text_length: int
    """Characters under the heading, blanks at both ends not counted."""


def split_sections(body: str) -> Iterator[Section]:
    """All sections of `body` in order; together they are the whole of it."""
    heading, start, text_start = "", 0, 0
    for match in _HEADING.finditer(body):
        yield _section(body, heading, start, text_start, match.start())
        heading, start, text_start = match.group(1).rstrip(), match.start(), match.end()
    yield _section(body, heading, start, text_start, len(body))


def grouped(body: str, shortest: int) -> Iterator[list[Section]]:
    """The sections of `body`, those of fewer than `shortest` characters joined with the next.

    A heading without text is the shortest of all: it goes with what follows it.
    """
    group: list[Section] = []
    length = 0
    for section in split_sections(body):
        if not section.heading and not section.text_length:
            continue  # blank lines before the first heading
        group.append(section)
        length += section.text_length
        if length >= shortest:
            yield group
            group, length = [], 0
    if group:
        yield group


def _section(body: str, heading: str, start: int, text_start: int, end: int) -> Section:
    return Section(heading, start, text_start, end, len(body[text_start:end].strip()))
