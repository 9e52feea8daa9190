"""Each pattern names its own example, and the quick look hides nothing that it matches."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_core.safety import (
    PATTERNS,
    Pattern,
    beginnings,
    find_attack,
    fold,
)
from tests.rag_core.safety.attacks import (
    ATTACKS,
    FAMILIES,
    dataset,
)


def test_every_family_has_a_pattern() -> None:
    assert {pattern.family for pattern in PATTERNS} == FAMILIES


def test_pattern_names_are_unique_and_begin_with_their_family() -> None:
    assert len({pattern.name for pattern in PATTERNS}) == len(PATTERNS)
    assert all(pattern.name.startswith(pattern.family + ".") for pattern in PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_a_patterns_example_is_named_after_it(pattern: Pattern) -> None:
    assert find_attack(pattern.example) == pattern.name


def test_the_quick_look_hides_nothing_that_a_pattern_matches() -> None:
    """Needs decide whether a pattern is tried at all; they must never say no wrongly."""
    texts = [pattern.example for pattern in PATTERNS]
    texts += [text for family in ATTACKS.values() for text in family]
    texts += [row["text"] for row in dataset()]
    hidden = [text for text in texts if any(p.regex.search(fold(text)) for p in PATTERNS)]
    assert len(hidden) > 120
    assert [text for text in hidden if find_attack(text) is None] == []


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
@given(data=st.data())
@settings(max_examples=50)
def test_whatever_a_pattern_matches_has_what_it_needs(
    pattern: Pattern, data: st.DataObject
) -> None:
    """Texts made from the pattern itself, each of its alternatives in turn."""
    folded = fold(data.draw(st.from_regex(pattern.regex)))
    if pattern.regex.search(folded):
        assert not any(map(beginnings(folded).isdisjoint, pattern.needs))
        assert find_attack(folded) is not None


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda pattern: pattern.name)
def test_needs_are_beginnings_of_words_and_signs(pattern: Pattern) -> None:
    assert all(pattern.needs)
    assert all(beginnings(need) == {need} for group in pattern.needs for need in group)
