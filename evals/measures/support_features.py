"""What the light check of support looks at: each feature is a number from 0 to 1.

A feature's docstring says what it is; all speak against support.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from evals.measures.specifics import missing_names, missing_numbers
from evals.measures.support_alignment import Alignment
from evals.measures.support_lexicon import (
    FORMS_OF_BE,
    LIMITS,
    NEGATIVE_PREFIXES,
    OPPOSITES,
    UNIVERSALS,
)
from evals.measures.support_text import ParsedText, Token, clauses, stem

NEAR = 0.45
"""Cosine to the nearest unit above which it says no more; chosen of 0.4 to 0.6 on dev claims."""
FAMILIAR = 0.48
"""`unsaid` below which it says no more: so far a free paraphrase goes; chosen on dev claims."""
_AROUND = 2
"""Content words around a word that count as its neighbours."""
_SWAPPED = 4
"""Takeovers that two exchanged words make: each is a neighbour on either side."""
_SHORTEST_ROOT = 4
"""Letters of a stem that a negative prefix may stand before: "unjust", but not "into"."""

Feature = Callable[[Alignment], float]


def far(pair: Alignment) -> float:
    """How far the cosine to the nearest unit stays below `NEAR`."""
    return max(0.0, NEAR - pair.cosine)


def unsaid(pair: Alignment) -> float:
    """How far the words that the source says least go beyond `FAMILIAR`."""
    return max(0.0, pair.unsaid - FAMILIAR)


def denied(pair: Alignment) -> float:
    """A shared word is denied on one side, and in no negation's scope on the other."""
    flipped = any(
        (theirs.denied and not mine.in_scope)
        or (mine.denied and not theirs.in_scope and not pair.unit.asks)
        for mine, theirs in pair.shared
    )
    return float(flipped) * pair.literalness


def adds_negation(pair: Alignment) -> float:
    """The claim has a negation, its unit has none anywhere."""
    adds = pair.claim.negations > 0 and pair.unit.negations == 0
    return float(adds and not pair.unit.asks) * pair.overlap


def adds_universal(pair: Alignment) -> float:
    """The claim says all, always or never, and its unit nothing of the kind."""
    return float(bool(_new_universals(pair)) and not pair.unit.words & UNIVERSALS)


def universals(pair: Alignment) -> float:
    """The claim adds two universals or more to the source's words."""
    return float(len(_new_universals(pair)) > 1) * pair.overlap


def limit_to_universal(pair: Alignment) -> float:
    """The claim says all, always or never where its unit says many, often or seldom."""
    lost_limits = pair.unit.words & LIMITS - pair.claim.words
    return float(bool(_new_universals(pair) and lost_limits)) * pair.overlap


def number_not_in_unit(pair: Alignment) -> float:
    """A number of the claim is not in its unit."""
    return float(bool(missing_numbers(pair.claim_text, pair.unit_text)))


def name_not_in_source(pair: Alignment) -> float:
    """A name of the claim is nowhere in the source: the share is 0 or 1."""
    return float(bool(missing_names(pair.claim_text, pair.source)))


def opposite(pair: Alignment) -> float:
    """The unit has the opposite of a word of the claim, and both sides deny or neither does."""
    mine, theirs = _own(pair.claim, pair.unit), _own(pair.unit, pair.claim)
    contrary = any(_are_opposites(word, other) for word in mine for other in theirs)
    alike = (pair.claim.negations - pair.near_negations) % 2 == 0
    return float(contrary and alike) * pair.overlap


def take_places(pair: Alignment) -> float:
    """How many words stand where the source has others of its own; 1 for `_SWAPPED` or all."""
    possible = min(_SWAPPED, max(2, len(pair.pairs) - 1))
    return min(_takeovers(pair) / possible, 1.0) * pair.literalness


def uneven(pair: Alignment) -> float:
    """How far its clauses' shares of shared words lie apart: one quotes, another does not."""
    stems = pair.unit.stems
    shares = [
        sum(token.stem in stems for token in clause) / len(clause)
        for clause in clauses(pair.claim)
        if len(clause) > 1
    ]
    return max(shares) - min(shares) if shares else 0.0


def half_own(pair: Alignment) -> float:
    """New words stand among the source's words: 1 where they are half and half."""
    return 4 * pair.overlap * (1 - pair.overlap)


def doubted(pair: Alignment) -> float:
    """The reader's probability, 0 to 1, that the source does not support the claim."""
    return 1 / (1 + math.exp(pair.read))


def denied_yet_believed(pair: Alignment) -> float:
    """`denied`, a share, less what the reader doubts: it hardly sees a negation."""
    return denied(pair) * (1 - doubted(pair))


FEATURES: tuple[Feature, ...] = (
    far, unsaid, denied, adds_negation, adds_universal, universals, limit_to_universal,
    number_not_in_unit, name_not_in_source, opposite, take_places, uneven, half_own,
    doubted, denied_yet_believed,
)  # fmt: skip


def features(pair: Alignment) -> NDArray[np.float64]:
    """float64[len(FEATURES)], in their order."""
    return np.array([feature(pair) for feature in FEATURES], np.float64)


def _new_universals(pair: Alignment) -> frozenset[str]:
    return pair.claim.words & UNIVERSALS - pair.unit.words


def _own(text: ParsedText, other: ParsedText) -> list[str]:
    """The words of `text` of which `other` has no form."""
    return [token.text for token in text.tokens if token.is_word and token.stem not in other.stems]


@cache
def _are_opposites(word: str, other: str) -> bool:
    mine, theirs = stem(word), stem(other)
    shorter, longer = sorted((mine, theirs), key=len)
    if len(shorter) >= _SHORTEST_ROOT and longer.removesuffix(shorter) in NEGATIVE_PREFIXES:
        return True
    return theirs in {stem(contrary) for contrary in OPPOSITES.get(word, OPPOSITES.get(mine, ()))}


def _takeovers(pair: Alignment) -> int:
    """How often a shared word has a neighbour that stands elsewhere in the unit, and vice versa.

    A word in the passive on one side alone, or with "by" behind it, may well have others.
    """
    return sum(
        _taken_over(pair, mine, theirs, step)
        for mine, theirs in pair.pairs
        if _voice(pair.claim, mine) == _voice(pair.unit, theirs)
        for step in (-1, 1)
    )


def _taken_over(pair: Alignment, mine: int, theirs: int, step: int) -> bool:
    claim, unit = pair.claim.content, pair.unit.content
    if not (0 <= mine + step < len(claim) and 0 <= theirs + step < len(unit)):
        return False
    here, there = claim[mine + step].stem, unit[theirs + step].stem
    moved = here in pair.unit.stems and there in pair.claim.stems
    return (
        moved
        and here not in _neighbours(unit, theirs, step)
        and there not in _neighbours(claim, mine, step)
        and not _parted(pair.claim, claim[mine], claim[mine + step])
        and not _parted(pair.unit, unit[theirs], unit[theirs + step])
    )


def _neighbours(words: tuple[Token, ...], index: int, step: int) -> set[str]:
    side = words[max(0, index - _AROUND) : index] if step < 0 else words[index + 1 :][:_AROUND]
    return {token.stem for token in side}


def _parted(text: ParsedText, one: Token, other: Token) -> bool:
    start, stop = sorted((one.place, other.place))
    return any(not token.is_word for token in text.tokens[start:stop])


def _voice(text: ParsedText, index: int) -> tuple[bool, bool]:
    place = text.content[index].place
    before = text.tokens[max(0, place - 3) : place]
    behind = text.tokens[place + 1 : place + 4]
    passive = any(token.text in FORMS_OF_BE for token in before)
    return passive, any(token.text == "by" for token in behind)
