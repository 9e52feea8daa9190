"""What the tests of deploying share."""

from __future__ import annotations

import pytest

from rag_core.adapters.llama_tokenizer import LlamaTokenizer


@pytest.fixture(scope="session")
def tokenizer() -> LlamaTokenizer:
    """The real one."""
    return LlamaTokenizer()
