"""Questions are normalised, safe and within the token budget."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import MAX_CHARACTERS, Question, Tokenizer, normalise, validate_question
from rag_core.errors import InvalidInput

ANY_TEXT = st.text(st.characters(), max_size=300)  # lone surrogates included
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn"}


@given(ANY_TEXT)
def test_normalising_twice_changes_nothing_more(raw: str) -> None:
    assert normalise(normalise(raw)) == normalise(raw)


@given(ANY_TEXT)
def test_nothing_invisible_and_no_run_of_blanks_is_left(raw: str) -> None:
    text = normalise(raw)
    assert not [c for c in text if unicodedata.category(c) in INVISIBLE]
    assert text == " ".join(text.split())


@given(ANY_TEXT, st.integers(4, 60))
def test_any_text_ends_up_within_the_budget_and_says_whether_it_was_cut(
    tokenizer: Tokenizer, raw: str, budget: int
) -> None:
    if not normalise(raw):
        return
    question = validate_question(raw, tokenizer=tokenizer, max_tokens=budget)
    assert tokenizer.count(question.text) <= budget
    assert normalise(raw).startswith(question.text)
    assert question.truncated == (question.text != normalise(raw))


def test_emoji_of_several_tokens_each_are_counted_as_such(tokenizer: Tokenizer) -> None:
    question = validate_question("🕊🏽" * 60, tokenizer=tokenizer, max_tokens=150)
    assert question.truncated
    assert tokenizer.count(question.text) <= 150


def test_normalising() -> None:
    for raw, expected in [
        ("  Who   was\tRuth?\r\n", "Who was Ruth?"),
        ("Who\u200b was\u202e Ruth\x00?", "Who was Ruth?"),
        ("Ｗｈｏ ｗａｓ Ｒｕｔｈ？", "Who was Ruth?"),
        ("e\u200b\u0301te", "éte"),
        ("Was heißt Gnade? 恵み", "Was heißt Gnade? 恵み"),
    ]:
        assert normalise(raw) == expected


def test_a_long_question_is_cut_at_its_end_and_flagged(tokenizer: Tokenizer) -> None:
    raw = "Who was Ruth? " * 100
    question = validate_question(raw, tokenizer=tokenizer, max_tokens=150)
    assert question.truncated
    assert question.text.startswith("Who was Ruth? Who was Ruth?")
    assert 145 <= tokenizer.count(question.text) <= 150


def test_a_question_within_the_budget_is_whole(tokenizer: Tokenizer) -> None:
    question = validate_question("Who was Ruth? " * 20, tokenizer=tokenizer, max_tokens=150)
    assert question == Question(("Who was Ruth? " * 20).strip(), truncated=False)


def test_a_question_without_anything_readable_is_refused(
    tokenizer: Tokenizer, subtests: pytest.Subtests
) -> None:
    for raw in ["", "  \n\t", "\u200b\u200d\x00"]:
        with subtests.test(raw=raw):
            with pytest.raises(InvalidInput, match="question: is empty") as refused:
                validate_question(raw, tokenizer=tokenizer, max_tokens=150)
            assert (refused.value.field, bool(refused.value.fix)) == ("question", True)


def test_input_far_too_long_is_refused_rather_than_cut(tokenizer: Tokenizer) -> None:
    with pytest.raises(InvalidInput, match="8,001 characters"):
        validate_question("a" * (MAX_CHARACTERS + 1), tokenizer=tokenizer, max_tokens=150)
    assert validate_question("a" * MAX_CHARACTERS, tokenizer=tokenizer, max_tokens=150).truncated
