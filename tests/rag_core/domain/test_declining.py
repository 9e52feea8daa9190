"""An answer declines when the declining sentence is all it says."""

from __future__ import annotations

import pytest

from rag_core.domain import DECLINING_TEXT, RULES, declines


def test_the_rules_ask_for_the_sentence_that_declines() -> None:
    assert f'"{DECLINING_TEXT}"' in RULES
    assert declines(DECLINING_TEXT)


@pytest.mark.parametrize(
    "text",
    [
        "“Your notes do not answer this”",
        "Your  notes do not\nanswer this. [1]",
        "YOUR NOTES DO NOT ANSWER THIS!",
    ],
)
def test_quotes_blanks_case_and_marks_do_not_matter(text: str) -> None:
    assert declines(text)


@pytest.mark.parametrize(
    "text", ["", "Your notes do not answer this. But Cain was proud [1].", "Cain was proud [1]."]
)
def test_whatever_says_more_or_nothing_does_not_decline(text: str) -> None:
    assert not declines(text)
