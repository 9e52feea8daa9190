"""Recognising prompt injection and leak attempts in a question, by named patterns.

Patterns look at the folded form of the text: look-alike letters become Latin, invisible characters
and accents go, everything is lower case, runs of blanks are one. What is written in base64, hex or
rot13 is decoded and looked at again. This stops the plain attempts before they cost anything; the
rules of the prompt, the canary and the checks of the answer stand behind it.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

from rag_core.attack_patterns import PATTERNS, Pattern
from rag_core.attack_words import MARKS, STEMS

__all__ = ["PATTERNS", "Pattern", "find_attack", "fold"]

BASE64 = "encoded_payload.base64_or_hex"
ROT13 = "encoded_payload.rot13"

_WORD_BEGINNING = re.compile(r"(?<![a-z0-9])[a-z0-9]{2,5}")
_ROT13_STEMS = frozenset(codecs.encode(stem, "rot13") for stem in STEMS)

_BLANKS = re.compile(r"[^\S\n]+")
_BREAKS = re.compile(r" ?\n\s*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}={0,2}")
_URL_SAFE = str.maketrans("-_", "+/")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_INVISIBLE = frozenset({"Mn", "Me", "Cc", "Cf", "Cs", "Co", "Cn"})

# Letters that are drawn like a Latin one, after Unicode's confusables (UTS #39).
_LOOK_ALIKES = str.maketrans(
    "авеѕіјкмнорстухԁԛԝһӏАВЕЅІЈКМНОРСТУХԌӀіαβεικνορτυχγηκμΑΒΕΖΗΙΚΜΝΟΡΤΥΧıɑɡℓ‘’“”–—−",
    "abesijkmhopctyxdqwhlABESIJKMHOPCTYXGIiabeikvoptuxynkmABEZHIKMNOPTYXiagl''\"\"---",
)


def find_attack(text: str) -> str | None:
    """Return the name of the first pattern that `text` matches, or None.

    Give it the text as the user sent it: line breaks and markup are part of what it looks for.
    """
    folded = fold(text)
    beginnings = _WORD_BEGINNING.findall(folded)
    if (not STEMS.isdisjoint(beginnings) or MARKS.search(folded)) and (name := _match(folded)):
        return name
    if not _ROT13_STEMS.isdisjoint(beginnings) and _match(codecs.decode(folded, "rot13")):
        return ROT13
    if any(_match(fold(payload)) for payload in _decoded(text)):
        return BASE64
    return None


def fold(text: str) -> str:
    """The form that patterns look at: Latin, visible, lower case, blanks and line breaks single."""
    if not text.isascii():
        visible = (
            c
            for c in unicodedata.normalize("NFKD", text)
            if c.isspace() or unicodedata.category(c) not in _INVISIBLE
        )
        text = "".join(visible).translate(_LOOK_ALIKES)
    text = text.lower()
    if "  " in text or not text.isprintable():
        text = _BREAKS.sub("\n", _BLANKS.sub(" ", text.replace("\r", "\n")))
    return text.strip()


def _match(folded: str) -> str | None:
    for pattern in PATTERNS:
        if pattern.regex.search(folded):
            return pattern.name
    return None


def _decoded(text: str) -> Iterator[str]:
    """What the runs of base64 or hex digits in `text` say, where that is printable ASCII."""
    for blob in _BASE64.findall(text):
        digits = blob.rstrip("=").translate(_URL_SAFE)
        with suppress(binascii.Error):
            yield from _printable(base64.b64decode(digits + "=" * (-len(digits) % 4)))
        if _HEX.fullmatch(blob):
            yield from _printable(bytes.fromhex(blob))


def _printable(payload: bytes) -> Iterator[str]:
    if payload.isascii() and (words := payload.decode("ascii")).replace("\n", " ").isprintable():
        yield words
