"""Fixtures shared by the tests of rag_core."""

from __future__ import annotations

import pytest

from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Tokenizer


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """The real Llama 3.2 tokenizer: loading it takes a second, so once."""
    return LlamaTokenizer()
