"""Splitting prose into sentences, without losing a character."""

from __future__ import annotations

import re

_ABBREVIATIONS = (
    r"Mr|Mrs|Ms|Dr|Rev|Fr|St|Sr|Jr|Prof|vs?|cf|etc|e\.g|i\.e|ver|ch|chap|vol|no"
    r"|Gen|Exod|Lev|Num|Deut|Josh|Judg|Sam|Kgs|Chr|Neh|Esth|Ps|Prov|Eccl|Isa|Jer|Lam|Ezek|Dan"
    r"|Hos|Mic|Nah|Hab|Zeph|Hag|Zech|Mal|Matt|Rom|Cor|Gal|Eph|Phil|Col|Thess|Tim|Heb|Jas|Pet"
)
_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s)|\n[ \t]*\n""")
_ABBREVIATED = re.compile(rf"(?:^|[\s(\[])(?:{_ABBREVIATIONS}|[A-HJ-Z])\.$")


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character spans `(start, end)` of the sentences of `text`, in order, blanks outside.

    A sentence ends at `.`, `!`, `?` or `…` before white space, or at an empty line; known
    abbreviations and initials do not end one ("I" does), nor does a mark before a lower-case word.
    """
    spans: list[tuple[int, int]] = []
    start = 0
    for mark in _END.finditer(text):
        if _continues(text, start, mark):
            continue
        _append(spans, text, start, mark.end())
        start = mark.end()
    _append(spans, text, start, len(text))
    return spans


def sentences(text: str) -> list[str]:
    """The sentences of `text`, each verbatim."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _continues(text: str, start: int, mark: re.Match[str]) -> bool:
    if mark.group()[0] == "\n":
        return False
    following = text[mark.end() :].lstrip(" \t")[:1]
    if following.islower():
        return True
    return mark.group() == "." and bool(_ABBREVIATED.search(text[start : mark.end()]))


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(stripped)))
