"""Chunks are verbatim pieces of a note, cut at sentences within a budget, that lose nothing."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given

from rag_core.domain import SentenceChunker, Tokenizer, sentence_spans
from tests.rag_core.domain.chunks.notes_to_cut import BODIES, MAX, OVERLAP, TITLES, lost, note


@given(body=BODIES)
def test_chunks_are_verbatim_slices_numbered_in_order(chunker: SentenceChunker, body: str) -> None:
    chunks = chunker(note(body))
    assert all(body[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    assert all(chunk.text == chunk.text.strip() != "" for chunk in chunks)


@given(body=BODIES)
def test_no_chunk_is_over_the_budget(
    chunker: SentenceChunker, tokenizer: Tokenizer, body: str
) -> None:
    assert all(tokenizer.count(chunk.text) <= MAX for chunk in chunker(note(body)))


@given(body=BODIES, title=TITLES)
def test_every_visible_character_is_in_a_chunk_or_in_its_heading(
    chunker: SentenceChunker, both: SentenceChunker, body: str, title: str
) -> None:
    assert lost(body, chunker(note(body, title))) == ""
    assert lost(body, both(note(body, title))) == ""


@given(body=BODIES)
def test_a_chunk_repeats_at_most_the_overlap_of_the_last_and_says_something_new(
    chunker: SentenceChunker, tokenizer: Tokenizer, body: str
) -> None:
    chunks = chunker(note(body))
    for earlier, later in pairwise(chunks):
        assert tokenizer.count(body[later.start : max(later.start, earlier.end)]) <= OVERLAP
        assert later.end > earlier.end


@given(body=BODIES)
def test_chunking_is_deterministic(chunker: SentenceChunker, body: str) -> None:
    assert chunker(note(body)) == chunker(note(body))


def test_chunks_begin_and_end_with_sentences(chunker: SentenceChunker) -> None:
    body = " ".join(f"The king of the {n}th city paid his tribute." for n in range(20))
    starts, ends = map(set, zip(*sentence_spans(body), strict=True))
    chunks = chunker(note(body))
    assert len(chunks) > 5
    assert all(chunk.start in starts and chunk.end in ends for chunk in chunks)


def test_short_sentences_are_repeated_in_the_next_chunk(chunker: SentenceChunker) -> None:
    body = " ".join(f"God rested on day {n}." for n in range(12))
    first, second, *_ = chunker(note(body))
    assert first.start < second.start < first.end


def test_a_giant_sentence_is_cut_at_blanks_and_nothing_is_lost(chunker: SentenceChunker) -> None:
    words = [f"begat{n}" for n in range(400)]
    chunks = chunker(note(" ".join(words)))
    assert len(chunks) > 10
    assert [word for chunk in chunks for word in chunk.text.split()] == words


def test_a_giant_word_is_cut_within_and_nothing_is_lost(chunker: SentenceChunker) -> None:
    word = "Mahershalalhashbaz" * 200
    assert "".join(chunk.text for chunk in chunker(note(word))) == word


def test_a_megabyte_of_full_stops_is_cut_like_any_text(chunker: SentenceChunker) -> None:
    """Neither the sentence splitter nor the cutter may read the rest again for every piece."""
    chunks = chunker(note("." * 1_000_000))
    assert (chunks[0].start, chunks[-1].end) == (0, 1_000_000)
    assert all(later.start <= earlier.end for earlier, later in pairwise(chunks))


def test_a_note_without_text_has_no_chunks(chunker: SentenceChunker) -> None:
    assert chunker(note("")) == chunker(note(" \n\n ")) == ()
