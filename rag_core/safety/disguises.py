"""What a text says when a plain disguise is taken off: digits for letters, s-p-e-l-l-i-n-g.

Each gives the whole text in another reading, or nothing where the text shows no sign of it, so
that ordinary questions cost one glance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LEET_WORD = re.compile(
    r"(?<![a-z0-9])(?=[a-z0-9@$]*[a-z])(?=[a-z0-9@$]*[0134578@$])[a-z0-9@$]{2,}"
)
_LEET = str.maketrans("0134578@$", "oieastbas")
_DIGIT = re.compile(r"[0134578@$]")
LEET_WORDS = 3
"""One such word may be a name or a number; so many are a way of writing."""

_SPELLED = re.compile(r"(?<![a-z0-9])(?:[a-z]([-._* ])(?:[a-z]\1){2,}[a-z])(?![a-z0-9])")

_RUN = re.compile(r"[a-z]{20,}")
_KNOWN = re.compile(
    r"(ignore|disregard|forget|override|bypass|obey|reveal|repeat|print|show|tell|drop|never|decline"
    r"|refuse|warn|comply|answer|begin|reply|delete|with|what|ever|just|only|your|youwere|you|were|are"
    r"|given|told|all|any|every|the|that|this|above|before|previous|prior|earlier|system|prompt"
    r"|instructions?|orders?|rules?|guidelines|assistant|bot|reading|notes|users|other|now|not|and|me"
    r"|no|is|of|from|asked)"
)
_PIECES = re.compile(r"\n(?:part )?\(?\d{1,2}[).:] ?")
MANY_PIECES = 3
"""So many numbered lines may be one text cut up."""

_BACKWARDS = tuple(
    word[::-1] for word in ("the", "your", "all", "this", "rule", "instruct", "prompt")
)
"""One of these is in most orders; read backwards, they are in few other texts."""


def readings(folded: str) -> Iterator[str]:
    """Other readings of a folded text: leet, spelled out, written together, cut up, backwards."""
    if _DIGIT.search(folded) and len(_LEET_WORD.findall(folded)) >= LEET_WORDS:
        yield _LEET_WORD.sub(lambda word: word.group().translate(_LEET), folded)
    if _SPELLED.search(folded):
        yield _SPELLED.sub(lambda word: word.group().replace(word.group(1), ""), folded)
    if _RUN.search(folded):
        yield _RUN.sub(_apart, folded)
    if len(_PIECES.findall(folded)) >= MANY_PIECES:
        yield _PIECES.sub("", folded)
    if any(word in folded for word in _BACKWARDS):
        yield folded[::-1]


def _apart(run: re.Match[str]) -> str:
    """Letters that stand together, with blanks around the words that orders are made of."""
    return " ".join(_KNOWN.sub(r" \1 ", run.group()).split())
