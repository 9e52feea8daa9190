"""Ways of cutting: their limits, their names, and the one that leaves a note whole."""

from __future__ import annotations

import pytest

from rag_core.domain import SentenceChunker, Tokenizer, WholeNoteChunker
from rag_core.errors import ConfigurationError
from tests.rag_core.domain.chunks.notes_to_cut import note
from tests.rag_core.domain.chunks.reader import Reader


def test_overlap_must_be_smaller_than_a_chunk(
    tokenizer: Tokenizer, subtests: pytest.Subtests
) -> None:
    for maximum, overlap in [(10, 10), (10, 11), (10, -1), (0, 0)]:
        with (
            subtests.test(maximum=maximum, overlap=overlap),
            pytest.raises(ConfigurationError, match="must be in"),
        ):
            SentenceChunker(tokenizer, max_tokens=maximum, overlap_tokens=overlap)


def test_a_chunkers_name_changes_with_its_cuts(tokenizer: Tokenizer, reader: Reader) -> None:
    names = {
        SentenceChunker(tokenizer, max_tokens=100).name,
        SentenceChunker(tokenizer, max_tokens=200).name,
        SentenceChunker(tokenizer, max_tokens=200, overlap_tokens=0).name,
        SentenceChunker(tokenizer, max_tokens=200, embedder=reader).name,
        WholeNoteChunker().name,
    }
    assert len(names) == 5


def test_a_whole_note_is_one_chunk() -> None:
    body = "## One\nFirst.\n## Two\nSecond."
    (chunk,) = WholeNoteChunker()(note(body))
    assert (chunk.text, chunk.start, chunk.end, chunk.position) == (body, 0, len(body), 0)
