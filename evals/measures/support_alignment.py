"""Which words of a claim stand in the part of its source that speaks of the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from evals.measures.support_text import ParsedText, Token, parse

_PAIR_IS_WORTH = 0.05
"""In share of words plus cosine."""
_LITERAL, _QUOTING = 0.4, 1.0
"""Shares of shared words at which a claim is said in its own words, and in the source's."""
_NEAR_NEGATION = range(-2, 7)
"""Places around a negation in which what it denies stands."""


@dataclass(frozen=True)
class Alignment:
    """A claim beside the sentence, or pair of adjacent ones, of its source that is nearest to it.

    `cosine` is the highest of the claim to any sentence or pair; `source` is the whole text;
    `unsaid`, 0 to 1, is of the whole text, too (see `support_coverage`); `read` is what the reader
    makes of it (see `support_reader`).
    """

    claim_text: str
    unit_text: str
    source: str
    cosine: float
    unsaid: float
    read: float
    """A number: the log odds of support."""

    @cached_property
    def claim(self) -> ParsedText:
        """The claim, parsed."""
        return parse(self.claim_text)

    @cached_property
    def unit(self) -> ParsedText:
        """The nearest unit, parsed."""
        return parse(self.unit_text)

    @cached_property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Indices of content words with the same stem: in the claim, and in the unit."""
        return _pairs(
            [token.stem for token in self.claim.content],
            [token.stem for token in self.unit.content],
        )

    @cached_property
    def shared(self) -> tuple[tuple[Token, Token], ...]:
        """The words behind `pairs`."""
        return tuple((self.claim.content[i], self.unit.content[j]) for i, j in self.pairs)

    @property
    def overlap(self) -> float:
        """Share of the claim's content words that stand in the unit."""
        return len(self.pairs) / max(1, len(self.claim.content))

    @property
    def literalness(self) -> float:
        """0 where the claim has its own words, 1 where it has the source's; between, in proportion.

        Words and polarity can be compared where they are the same words.
        """
        return max(0.0, self.overlap - _LITERAL) / (_QUOTING - _LITERAL)

    @cached_property
    def near_negations(self) -> int:
        """Negations of the unit that stand by two or more shared words."""
        places = {theirs.place for _, theirs in self.shared}
        return sum(
            sum(token.place + step in places for step in _NEAR_NEGATION) >= 2
            for token in self.unit.tokens
            if token.negation
        )


def nearest_unit(claim: str, units: Sequence[str], cosines: Sequence[float]) -> int:
    """The place of the unit with the most shared words and the highest cosine.

    `units` are single sentences and, behind them, the pairs of adjacent ones, in the order of the
    text; a pair must be nearer than its sentences by `_PAIR_IS_WORTH`. One that is too short to
    say what the claim says, such as a title, is left out where there are others.
    """
    words = [token.stem for token in parse(claim).content]
    sentences = (len(units) + 1) // 2

    def nearness(index: int) -> float:
        stems = parse(units[index]).stems
        shared = sum(word in stems for word in words) / max(1, len(words))
        return cosines[index] + shared - (_PAIR_IS_WORTH if index >= sentences else 0.0)

    long_enough = [i for i, unit in enumerate(units) if not too_short(parse(unit), parse(claim))]
    return max(long_enough or range(len(units)), key=nearness)


def too_short(unit: ParsedText, claim: ParsedText) -> bool:
    """Whether `unit` has less than half of the content words that `claim` has."""
    return 2 * len(unit.content) < len(claim.content)


def _pairs(claim: Sequence[str], unit: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Each claim word with the free one of its kind that goes on where the last one stopped."""
    taken: dict[int, int] = {}
    for i, word in enumerate(claim):
        alike = [j for j, other in enumerate(unit) if other == word]
        free = [j for j in alike if j not in taken.values()] or alike
        going_on = [j for j in free if claim[i + 1 : i + 2] == unit[j + 1 : j + 2] != []]
        if free:
            expected = taken[i - 1] + 1 if i - 1 in taken else i / len(claim) * len(unit)
            taken[i] = min(going_on or free, key=lambda j: abs(j - expected))
    return tuple(taken.items())
