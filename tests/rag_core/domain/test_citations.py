"""Marks are read in one way: what cites, what is cited, and what a text says without them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import cites, marks_inside_sentences, resolve_citations, without_citations

NUMBERS = st.lists(st.integers(1, 9), min_size=1, max_size=4)
WORDS = st.text("abc XYZ.,;", max_size=12)


@pytest.mark.parametrize(
    ("mark", "numbers"),
    [
        ("[1]", (1,)),
        ("[1][3]", (1, 3)),
        ("[3, 1]", (3, 1)),
        ("[1;3]", (1, 3)),
        ("[1-3]", (1, 2, 3)),
        ("[1–3]", (1, 2, 3)),
        ("[ 2 ]", (2,)),
        ("[1, 3-4]", (1, 3, 4)),
        ("[2-2, 2]", (2,)),
        ("[1] and [1]", (1,)),
    ],
)
def test_a_mark_cites_these_numbers(mark: str, numbers: tuple[int, ...]) -> None:
    resolved = resolve_citations(mark, range(1, 5))
    assert (resolved.numbers, resolved.dangling) == (numbers, False)


@pytest.mark.parametrize(
    "text", ["[sic]", "a[i]", "[Gen 2:3]", "(3)", "3", "[1", "[]", "[1234567890]"]
)
def test_other_brackets_cite_nothing(text: str) -> None:
    assert not cites(text)
    assert without_citations(text) == text == resolve_citations(text, {1, 3}).text


@given(NUMBERS, st.sampled_from([", ", ",", "; ", ";"]))
def test_numbers_in_one_bracket_are_taken_apart(numbers: list[int], joint: str) -> None:
    resolved = resolve_citations(f"so [{joint.join(map(str, numbers))}].", range(1, 10))
    once = tuple(dict.fromkeys(numbers))
    assert resolved.numbers == once
    assert resolved.text == f"so {''.join(f'[{n}]' for n in once)}."


@given(st.integers(1, 9), st.integers(1, 9), st.sets(st.integers(1, 9)))
def test_a_range_cites_what_is_known_within_it(first: int, last: int, known: set[int]) -> None:
    resolved = resolve_citations(f"[{first}-{last}]", known)
    assert resolved.numbers == tuple(n for n in range(first, last + 1) if n in known)
    assert resolved.dangling == (not {first, last} <= set(resolved.numbers))


@given(st.text("ab .[]0123,;–-\n", max_size=40), st.sets(st.integers(0, 4)))
def test_a_resolved_text_resolves_to_itself(text: str, known: set[int]) -> None:
    resolved = resolve_citations(text, known)
    assert set(resolved.numbers) <= known
    if not re.search(r"\[[^\]]*\[", text):  # no bracket within a bracket
        again = resolve_citations(resolved.text, known)
        assert (again.text, again.numbers, again.dangling) == (
            resolved.text,
            resolved.numbers,
            False,
        )


@given(st.lists(st.tuples(WORDS, NUMBERS), max_size=4))
def test_without_its_marks_a_text_cites_nothing_and_keeps_its_words(
    pieces: list[tuple[str, list[int]]],
) -> None:
    text = "".join(f"{words} {numbers}" for words, numbers in pieces)
    bare = without_citations(text)
    assert not cites(bare)
    assert bare.split() == "".join(words.rstrip() for words, _ in pieces).split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is. [1] So.", "It is [1]. So."),
        ("Is it? [1][2]", "Is it [1][2]?"),
        ("“It is.” [1] [2-3] So.", "“It is [1] [2-3].” So."),
        ("It is [1]. So.", "It is [1]. So."),
    ],
)
def test_marks_behind_the_end_of_a_sentence_move_into_it(text: str, expected: str) -> None:
    assert marks_inside_sentences(text) == expected


@pytest.mark.parametrize("unit", ["[", "[1", ".", " ", "[1 ", "[1,", "[1]", ". [1", ".)"])
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    resolve_citations(text, {1})
    without_citations(text)
    marks_inside_sentences(text)


def test_a_range_beyond_measure_is_not_counted_through() -> None:
    assert resolve_citations("[1-999999999]", {1, 2}).numbers == (1, 2)
