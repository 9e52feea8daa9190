"""The grammar of citations: `[1]`, `[1, 2]`, `[1; 2]`, `[1-3]` and `[1–3]` name notes by number."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

_MARK = r"\[\s*[0-9]{1,9}(?:\s*[,;–-]\s*[0-9]{1,9})*\s*\]"
_ANY_MARK = re.compile(_MARK)
_MARK_AND_BLANK = re.compile(rf"(\s?)({_MARK})")
_RANGE = re.compile(r"([0-9]+)(?:\s*[–-]\s*([0-9]+))?")
# Possessive, and only from the first stop of a run: linear in a megabyte of full stops too.
_MARKS_AFTER_END = re.compile(rf"""((?<![.!?…])[.!?…]++["'”’)\]]*+)((?:\s*{_MARK})+)""")


@dataclass(frozen=True, slots=True)
class ResolvedText:
    """A text in which every mark is one number in brackets and names a known note."""

    text: str
    numbers: tuple[int, ...]
    """The known numbers that are cited, in the order they are, each once."""
    dangling: bool
    """Whether a mark named a number that is not known, and lost it."""


def resolve_citations(text: str, known: Collection[int]) -> ResolvedText:
    """Take marks apart, `[1-3]` into `[1][2][3]`, and drop the numbers that are not `known`.

    A range cites what is known within it, and dangles only where one of its ends does.
    """
    cited: dict[int, None] = {}
    dangling = False

    def rewrite(match: re.Match[str]) -> str:
        nonlocal dangling
        ranges = [(int(m[1]), int(m[2] or m[1])) for m in _RANGE.finditer(match[2])]
        numbers = [n for first, last in ranges for n in sorted(known) if first <= n <= last]
        dangling = dangling or not {end for ends in ranges for end in ends} <= set(numbers)
        cited.update(dict.fromkeys(numbers))
        marks = "".join(f"[{n}]" for n in dict.fromkeys(numbers))
        return match[1] + marks if marks else ""

    resolved = _MARK_AND_BLANK.sub(rewrite, text)
    return ResolvedText(resolved, tuple(cited), dangling)


def cites(text: str) -> bool:
    """Whether `text` holds a mark, known or not."""
    return _ANY_MARK.search(text) is not None


def without_citations(text: str) -> str:
    """`text` without its marks and the blanks before them."""
    *before, last = _ANY_MARK.split(text)
    return "".join([*(piece.rstrip() for piece in before), last]).strip()


def marks_inside_sentences(text: str) -> str:
    """`text` with the marks behind a sentence moved into it: `It is. [1]` becomes `It is [1].`"""
    return _MARKS_AFTER_END.sub(r"\2\1", text)
