"""Splitting prose into sentences, without losing a character."""

from __future__ import annotations

import re

_ABBREVIATIONS = r"Mr|Mrs|Ms|Dr|Rev|Fr|St|Sr|Jr|Prof|vs|[Cc]f|[Ee]\.g|[Ii]\.e|[A-HJ-Z]"
_BEFORE_NUMBERS = (
    r"vv?|ver|ch|chap|vol|[Nn]o|Gen|Exod|Lev|Num|Deut|Josh|Judg|Sam|Kgs|Chr|Neh|Esth|Ps|Prov|Eccl"
    r"|Isa|Jer|Lam|Ezek|Dan|Hos|Mic|Nah|Hab|Zeph|Hag|Zech|Mal|Matt|Rom|Cor|Gal|Eph|Phil|Col|Thess"
    r"|Tim|Heb|Jas|Pet"
)
# Possessive, and only from the first mark of a run: linear in a megabyte of full stops too.
_END = re.compile(r"""(?<![.!?…])[.!?…]++["'”’)\]]*+(?=\s)|\n[ \t]*+\n""")
_BLANKS = re.compile(r"[ \t]*+")
_LONGEST_ABBREVIATION = 10
_ABBREVIATED = re.compile(rf"(?:^|[\s(\[])(?:{_ABBREVIATIONS})\.$")
_NUMBERED = re.compile(rf"(?:^|[\s(\[])(?:{_BEFORE_NUMBERS})\.$")
_ENUMERATING = re.compile(r"(?:^\s*|[a-z][,:;]\s)\d{1,2}\.$")  # "… we have, 1. David praying."


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """Character spans `(start, end)` of the sentences of `text`, in order, blanks outside.

    A sentence ends at `.`, `!`, `?` or `…` before white space, or at an empty line; known
    abbreviations and initials do not end one ("I" does), nor does a mark before a lower-case word
    or after the number of what is enumerated.
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


def split_sentences(text: str) -> list[str]:
    """The sentences of `text`, each verbatim."""
    return [text[start:end] for start, end in sentence_spans(text)]


def _continues(text: str, start: int, mark: re.Match[str]) -> bool:
    if mark.group()[0] == "\n":
        return False
    blanks = _BLANKS.match(text, mark.end())
    following = text[blanks.end()] if blanks and blanks.end() < len(text) else ""
    if following.islower():
        return True
    if mark.group() != ".":
        return False
    before = text[max(start, mark.end() - _LONGEST_ABBREVIATION) : mark.end()]
    numbered = following.isdigit() and _NUMBERED.search(before)
    return bool(numbered or _ABBREVIATED.search(before) or _ENUMERATING.search(before))


def _append(spans: list[tuple[int, int]], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        start += len(piece) - len(piece.lstrip())
        spans.append((start, start + len(stripped)))
