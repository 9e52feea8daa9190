"""Chunkers: one of small chunks, and one within the limits of two tokenizers."""

from __future__ import annotations

import pytest

from rag_core.domain import SentenceChunker, Tokenizer
from tests.rag_core.domain.chunks.notes_to_cut import MAX, OVERLAP
from tests.rag_core.domain.chunks.reader import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.fixture(scope="module")
def both(tokenizer: Tokenizer, reader: Reader) -> SentenceChunker:
    """Within the limits that stand in the settings, and the default embedder's."""
    return SentenceChunker(tokenizer, embedder=reader)


@pytest.fixture(scope="module")
def chunker(tokenizer: Tokenizer) -> SentenceChunker:
    return SentenceChunker(tokenizer, max_tokens=MAX, overlap_tokens=OVERLAP)
