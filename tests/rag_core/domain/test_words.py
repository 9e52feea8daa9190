"""Words: stems as Porter has them, what a text is about, and what a question asks by."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem import PorterStemmer

from rag_core.domain import MOST_WORDS, asked_words, dimension, stem, word_counts, word_weights

CORPUS = Path(__file__).parents[3] / "golden/beir/henry-headings/corpus.jsonl"
REFERENCE = PorterStemmer(mode=PorterStemmer.ORIGINAL_ALGORITHM)


def test_every_word_of_henry_has_the_stem_that_the_paper_gives_it() -> None:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    letters = "".join(
        c if c.isalnum() else " " for c in " ".join(json.loads(x)["text"] for x in lines)
    )
    words = {word for word in letters.lower().split() if len(word) > 2}
    assert len(words) > 10_000
    assert {word: stem(word) for word in words} == {word: REFERENCE.stem(word) for word in words}


@given(st.text(alphabet="abeilnosty", min_size=3, max_size=12))
def test_made_up_words_have_it_too(word: str) -> None:
    assert stem(word) == REFERENCE.stem(word)


def test_words_that_say_nothing_are_not_counted() -> None:
    assert word_counts("The shepherd's sheep; and the SHEEP were his.") == {
        "shepherd": 1,
        "sheep": 2,
    }


def test_a_question_asks_by_what_it_is_about() -> None:
    assert asked_words("What did I say about the rainbows in my sermon notes?") == ("rainbow",)
    assert asked_words("Who wrote to Timothy, and what did I preach on 2 Timothy?") == (
        "2",
        "timothi",
    )


def test_letters_that_look_alike_are_alike() -> None:
    assert word_counts("\N{LATIN SMALL LIGATURE FI}re")["fire"] == 1


def test_the_weight_of_a_word_grows_with_its_count_and_falls_with_the_length() -> None:
    """BM25 with k1 = 1.2, b = 0.75 and a mean of 80 words, by hand."""
    assert word_weights("mercy")[dimension("merci")] == pytest.approx(
        2.2 / (1 + 1.2 * (0.25 + 0.75 / 80))
    )
    twice = word_weights("mercy mercy")[dimension("merci")]
    assert twice == pytest.approx(4.4 / (2 + 1.2 * (0.25 + 1.5 / 80)))
    assert all(0 < weight < 2.2 for weight in word_weights("mercy " * 500 + "rest").values())


def test_a_chunk_keeps_its_most_frequent_words() -> None:
    weights = word_weights(" ".join(f"w{i}" for i in range(MOST_WORDS * 2)) + " often often")
    assert len(weights) == MOST_WORDS
    assert dimension("often") in weights
