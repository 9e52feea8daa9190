"""Filters: what a question names, and which notes they admit."""

from __future__ import annotations

from datetime import date

import pytest

from rag_core.domain import Filters, Note, Verses
from rag_core.search import named_filters

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("question", "verses"),
    [
        ("What did I preach on Romans 8 last autumn?", [("Romans", 8, 0, 0)]),
        ("1 Cor 13:4-7, on love", [("1 Cor", 13, 4, 7)]),
        ("What of Second Kings 5?", [("2 Kings", 5, 0, 0)]),
        ("Compare Ps. 39 and Psalm 90:12.", [("Ps", 39, 0, 0), ("Psalm", 90, 12, 12)]),
        ("John 3:16 or 1 John 3:16", [("John", 3, 16, 16), ("1 John", 3, 16, 16)]),
        ("Song of Songs 2", [("Song of Songs", 2, 0, 0)]),
        ("Is 40:31", [("Is", 40, 31, 31)]),
        ("Is 8 enough, and am 3 people many?", []),
        ("What did I mark 4 times?", []),
        ("Why did John weep?", []),
    ],
)
def test_verse_references_are_recognised(
    question: str, verses: list[tuple[str, int, int, int]]
) -> None:
    assert named_filters(question, TODAY).verses == tuple(Verses(*verse) for verse in verses)


@pytest.mark.parametrize(
    ("question", "since", "until"),
    [
        ("In June 2023, what did I note?", date(2023, 6, 1), date(2023, 6, 30)),
        ("What did I write in 2019?", date(2019, 1, 1), date(2019, 12, 31)),
        ("my February 2024 sermons", date(2024, 2, 1), date(2024, 2, 29)),
        ("last autumn", date(2025, 9, 1), date(2025, 11, 30)),
        ("last winter", date(2025, 12, 1), date(2026, 2, 28)),
        ("the 1611 translation, and 2019 sheep", None, None),
        ("his last year of life", None, None),
    ],
)
def test_times_are_recognised(question: str, since: date | None, until: date | None) -> None:
    named = named_filters(question, TODAY)
    assert (named.since, named.until) == (since, until)


def test_tags_are_recognised() -> None:
    assert named_filters("Under my tag Mercy, what did I say?", TODAY).tags == ("mercy",)
    assert named_filters("notes tagged 'grace'", TODAY).tags == ("grace",)
    assert not named_filters("What does the rainbow stand for?", TODAY)


VERSES = (Verses("Rom", 8, 1, 11),)
NOTE = Note("n", "", "text", date=date(2025, 10, 5), tags=("Grace",), verses=VERSES)


@pytest.mark.parametrize(
    ("filters", "admitted"),
    [
        (Filters(), True),
        (Filters(since=date(2025, 10, 5), until=date(2025, 10, 5)), True),
        (Filters(since=date(2025, 10, 6)), False),
        (Filters(until=date(2025, 10, 4)), False),
        (Filters(tags=("grace",)), True),
        (Filters(tags=("grace", "mercy")), False),
        (Filters(verses=(Verses("Romans", 8, 0, 0),)), True),
        (Filters(verses=(Verses("Romans", 8, 11, 12),)), True),
        (Filters(verses=(Verses("Romans", 8, 12, 14),)), False),
        (Filters(verses=(Verses("Romans", 9, 0, 0), Verses("Rom", 8, 2, 2))), True),
        (Filters(verses=(Verses("Ruth", 8, 0, 0),)), False),
    ],
)
def test_a_note_must_meet_all_that_is_given(filters: Filters, admitted: bool) -> None:
    assert filters.admits(NOTE) is admitted


def test_a_note_without_a_date_meets_no_bound() -> None:
    assert not Filters(since=date(2000, 1, 1)).admits(Note("n", "", "text"))
