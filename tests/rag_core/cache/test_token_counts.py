"""Remembered counts: each text is counted once, and every count is the tokenizer's."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_core.cache import RememberedCounts
from rag_core.domain import Tokenizer


class Counting:
    """Says how often each text was counted."""

    name = "letters"

    def __init__(self) -> None:
        self.texts: list[str] = []

    def count(self, text: str) -> int:
        self.texts.append(text)
        return len(text)

    def truncate(self, text: str, max_tokens: int) -> str:
        return text[:max_tokens]


def test_a_text_is_counted_once() -> None:
    counting = Counting()
    remembered = RememberedCounts(counting)
    assert [remembered.count(text) for text in ("grace", "", "grace", "")] == [5, 0, 5, 0]
    assert counting.texts == ["grace", ""]


def test_it_is_the_tokenizer_by_the_same_name() -> None:
    remembered = RememberedCounts(Counting())
    assert remembered.name == "letters"
    assert remembered.truncate("grace", 2) == "gr"


@given(texts=st.lists(st.text(max_size=40), max_size=20))
def test_a_remembered_count_is_the_count(tokenizer: Tokenizer, texts: list[str]) -> None:
    remembered = RememberedCounts(tokenizer)
    for text in texts * 2:
        assert remembered.count(text) == tokenizer.count(text)
