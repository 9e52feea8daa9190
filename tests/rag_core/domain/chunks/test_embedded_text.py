"""What the embedder sees of a chunk: title, heading and text, all of it read, hashed as one."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import Chunk, SentenceChunker, Tokenizer
from tests.rag_core.domain.chunks.notes_to_cut import BODIES, TITLES, note
from tests.rag_core.domain.chunks.reader import Reader


def test_the_embedder_sees_title_heading_and_text(chunker: SentenceChunker) -> None:
    (chunk,) = chunker(note("## The seventh day  \nGod rested."))
    assert chunk.embedded_text == "On rest\nThe seventh day\nGod rested."


@given(body=BODIES, title=TITLES)
def test_the_embedder_reads_all_of_every_chunk(
    tokenizer: Tokenizer, reader: Reader, both: SentenceChunker, body: str, title: str
) -> None:
    """Title, heading and text: nothing is cut off before it is embedded."""
    for chunk in both(note(body, title)):
        assert tokenizer.count(chunk.text) <= both.max_tokens
        assert reader.length(chunk.embedded_text) <= 256


def test_the_embedder_reads_all_of_a_russian_note(both: SentenceChunker, reader: Reader) -> None:
    """Cyrillic has more than twice as many word pieces as tokens."""
    chunks = both(note("Благодать есть дар, и никто не может её купить. " * 200, "О благодати"))
    assert max(reader.length(chunk.embedded_text) for chunk in chunks) <= 256
    assert min(reader.length(chunk.embedded_text) for chunk in chunks[:-1]) > 200, "well filled"


@given(text=st.one_of(BODIES, st.text(max_size=300)))
def test_word_pieces_counted_word_by_word_are_what_the_embedder_reads(
    reader: Reader, text: str
) -> None:
    assert reader.count_word_pieces(text) + 2 == reader.length(text)


def test_chunks_are_equal_in_hash_when_they_read_the_same() -> None:
    here, there = (Chunk("a", n, "T", "H", "Text.", n, n + 5) for n in (0, 7))
    renamed = Chunk("a", 0, "Other", "H", "Text.", 0, 5)
    assert here.sha256 == there.sha256 != renamed.sha256
    assert re.fullmatch(r"[0-9a-f]{64}", here.sha256)
