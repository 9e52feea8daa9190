"""Quoting: whether a text has the words of another, and does not deny them where it has them."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz import fuzz

from evals.measures.claims import bare_quote, folded, sentences
from evals.measures.support_lexicon import DENIALS
from evals.measures.support_text import parse

NEARLY_QUOTED = 90.0
"""Least partial ratio (rapidfuzz, 0 to 100) of a quote to a text that repeats it."""
LEAST_LENGTH = 0.8
"""Of a text that nearly quotes another, in lengths of that other."""


def stands_in(claim: str, source: str) -> bool:
    """Whether `source` has `claim` word for word, and nothing before it in its sentence denies it.

    "It is not true that he came" does not say "he came".
    """
    said = [folded(sentence) for sentence in sentences(source)]
    wanted = bare_quote(" ".join(sentences(claim)))
    return any(not _denied(said, place) for place in _places(wanted, " ".join(said)))


def nearly_stands_in(quote: str, source: str) -> bool:
    """The same for a quote with slips: `NEARLY_QUOTED` or more of it."""
    said = [folded(sentence) for sentence in sentences(source)]
    text = " ".join(said)
    # partial_ratio looks for the shorter in the longer: a short text is no quote of a long one.
    if len(text) < LEAST_LENGTH * len(quote):
        return False
    found = fuzz.partial_ratio_alignment(folded(quote), text, score_cutoff=NEARLY_QUOTED)
    return found is not None and not _denied(said, found.dest_start)


def _places(needle: str, text: str) -> Iterator[int]:
    place = text.find(needle) if needle else -1
    while place >= 0:
        yield place
        place = text.find(needle, place + 1)


def _denied(said: list[str], place: int) -> bool:
    """Whether the words before `place`, in its sentence, deny something."""
    for sentence in said:
        if place <= len(sentence):
            before = parse(sentence[:place])
            return before.negations > 0 or bool(before.words & DENIALS)
        place -= len(sentence) + 1
    return False
