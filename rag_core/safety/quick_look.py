"""The words without which a pattern cannot match: a quick look that decides what is searched.

A search costs a tenth of a microsecond for each character and pattern; most stretches of a text
hold no word that a pattern needs.
"""

from __future__ import annotations

import re
from collections import defaultdict

from rag_core.safety.patterns import PATTERNS, Pattern

_BEGINNING = re.compile(r"(?<![a-z0-9])[a-z0-9]{2,5}|---|[!#(*/:<=\[_`|]")

_BY_STEM: dict[str, list[Pattern]] = defaultdict(list)
for _pattern in PATTERNS:
    for _stem in _pattern.needs[0]:
        _BY_STEM[_stem].append(_pattern)

STEMS = frozenset(_BY_STEM)
"""One of these is in whatever a pattern matches."""


def beginnings(folded: str) -> frozenset[str]:
    """What `folded` has of first letters and of signs."""
    return frozenset(_BEGINNING.findall(folded))


def possible(found: frozenset[str]) -> set[str]:
    """Names of the patterns that can match where these beginnings were found."""
    first = {pattern.name: pattern for stem in found & STEMS for pattern in _BY_STEM[stem]}
    return {name for name, p in first.items() if not any(map(found.isdisjoint, p.needs))}
