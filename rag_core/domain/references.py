"""References to the Bible in a text, as people write them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag_core.domain.books import BOOKS
from rag_core.domain.notes import Verses

_SPELLED = sorted((name for name in BOOKS), key=len, reverse=True)
_REFERENCE = re.compile(
    rf"\b(?P<book>{'|'.join(map(re.escape, _SPELLED))})\.?\s?(?P<chapter>\d{{1,3}})\b"
    r"(?:\s?:\s?(?P<first>\d{1,3})(?:\s?[-\N{EN DASH}]\s?(?P<last>\d{1,3}))?)?",
    re.IGNORECASE,
)
_ORDINALS = re.compile(
    r"\b(?:(?P<one>1st|[Ff]irst|I)|(?P<two>2nd|[Ss]econd|II)|(?P<three>3rd|[Tt]hird|III))\s(?=[A-Z])"
)
_ALSO_WORDS = frozenset({"am", "is"})
"""Abbreviations that need a verse: Is 8 enough?"""


def named_verses(text: str) -> Iterator[Verses]:
    """`Romans 8`, `1 Cor 13:4-7`, `Second Kings 5`; of a whole chapter, the verses are 0 to 0.

    What is no capitalised book is passed over.
    """
    for match in _REFERENCE.finditer(_ORDINALS.sub(_digit, text)):
        book, first, last = match["book"], match["first"], match["last"]
        if book.lstrip("123 ")[0].isupper() and (first or book.lower() not in _ALSO_WORDS):
            start = int(first or 0)
            yield Verses(book, int(match["chapter"]), start, int(last or start))


def _digit(match: re.Match[str]) -> str:
    return f"{1 if match['one'] else 2 if match['two'] else 3} "
