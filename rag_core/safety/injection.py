"""Recognising prompt injection and leak attempts in a question, by named patterns.

Patterns look at the folded form of the text: look-alike letters become Latin, invisible characters
and accents go, everything is lower case, runs of blanks are one. What is written in base64, hex or
rot13 is decoded and looked at again, and so are other readings of a disguised text. This stops the
plain attempts before they cost anything; the rules of the prompt, the canary and the checks of the
answer stand behind it.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

from rag_core.safety.disguises import readings
from rag_core.safety.patterns import PATTERNS, Pattern
from rag_core.safety.quick_look import STEMS, beginnings, possible

BASE64 = "encoded_payload.base64_or_hex"
ROT13 = "encoded_payload.rot13"
DISGUISED = "encoded_payload.disguised"

_STRETCH, _REACH = 250, 300
"""Characters: where a match may begin, and how much further what it looks at may reach."""

_ROT13_STEMS = frozenset(codecs.encode(stem, "rot13") for stem in STEMS)

_LONGEST_LATIN = 8

_SHORT, _LATELY = 500, 2_000
"""Characters and texts: what is remembered is a megabyte or two; chosen."""

_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
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
    A short text that was asked lately is not looked at again.
    """
    return _found_lately(text) if len(text) <= _SHORT else _find_attack(text)


def _find_attack(text: str) -> str | None:
    folded = fold(text)
    if name := _match(folded):
        return name
    if not _ROT13_STEMS.isdisjoint(beginnings(folded)) and _match(codecs.decode(folded, "rot13")):
        return ROT13
    if any(_match(fold(payload)) for payload in _decoded(text)):
        return BASE64
    if any(_match(reading) for reading in readings(folded)):
        return DISGUISED
    return None


_found_lately = lru_cache(maxsize=_LATELY)(_find_attack)


def fold(text: str) -> str:
    """The form that patterns look at: Latin, visible, lower case, blanks and line breaks single."""
    if not text.isascii() or _CONTROL.search(text):
        text = text.translate({ord(c): _seen(c) for c in set(text) if not " " <= c <= "~"})
    text = text.lower()
    if "  " in text or not text.isprintable():
        text = _BREAKS.sub("\n", _BLANKS.sub(" ", text.replace("\r", "\n")))
    return text.strip()


@lru_cache(maxsize=4_096)
def _seen(character: str) -> str:
    """What is drawn of a character, in Latin letters where it looks like one."""
    written_out = unicodedata.normalize("NFKD", character)
    if len(written_out) > _LONGEST_LATIN:
        return character  # one Arabic sign is written out as 18
    visible = (c for c in written_out if c.isspace() or unicodedata.category(c) not in _INVISIBLE)
    return "".join(visible).translate(_LOOK_ALIKES)


def _match(folded: str) -> str | None:
    """The first pattern that matches; each searches only where it can."""
    stretches = [
        (start, names)
        for start in range(0, len(folded), _STRETCH)
        if (names := possible(beginnings(folded[start : start + _STRETCH + _REACH])))
    ]
    if not stretches:
        return None
    for pattern in PATTERNS:
        for start, names in stretches:
            if pattern.name in names and _searched(pattern, folded, start):
                return pattern.name
    return None


def _searched(pattern: Pattern, folded: str, start: int) -> bool:
    """Whether a match begins in the stretch at `start`.

    What ends with the stretch is no end of the text: a match must hold in the whole of it.
    """
    end = start + _STRETCH + _REACH
    while found := pattern.regex.search(folded, start, end):
        if end >= len(folded) or pattern.regex.match(folded, found.start()):
            return True
        start = found.start() + 1
    return False


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
