"""Chunks are verbatim pieces of a note, within a token budget, that lose nothing."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag_core.chunks import Chunk, SentenceChunker, WholeNoteChunker, sections
from rag_core.errors import ConfigurationError
from rag_core.notes import Note
from rag_core.sentences import sentence_spans
from rag_core.tokens import Tokenizer

MAX, OVERLAP = 24, 8

PIECES = st.sampled_from(
    [
        "In the beginning God created the heaven and the earth. ",
        "Rest. ",
        "He said, “Follow me.” ",
        "Mr. Henry wrote this (cf. Gen. 4:1). ",
        "And they went over, and over, and over the river, and they came to a city of palm trees, "
        "and dwelt there many days with the people of that land, and were glad. ",
        "\n\n",
        "\n## The second day\n",
        "\n### Ἐν ἀρχῇ\n",
        "   ",
        "\t",
        "! ",
        "supercalifragilistic" * 12 + " ",
        "🙏🏽🕊️ ",
        "חֶסֶד ",
        "no mark at all ",
    ]
)
BODIES = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=300))


def note(body: str, title: str = "On rest") -> Note:
    return Note("n1", title, body)


@pytest.fixture(scope="module")
def chunker(tokenizer: Tokenizer) -> SentenceChunker:
    return SentenceChunker(tokenizer, max_tokens=MAX, overlap_tokens=OVERLAP)


@given(body=BODIES)
@settings(max_examples=300)
def test_chunks_are_verbatim_slices_numbered_in_order(chunker: SentenceChunker, body: str) -> None:
    chunks = chunker(note(body))
    assert all(body[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.start for chunk in chunks] == sorted(chunk.start for chunk in chunks)
    assert all(chunk.text == chunk.text.strip() != "" for chunk in chunks)


@given(body=BODIES)
@settings(max_examples=300)
def test_no_chunk_is_over_the_budget(
    chunker: SentenceChunker, tokenizer: Tokenizer, body: str
) -> None:
    assert all(tokenizer.count(chunk.text) <= MAX for chunk in chunker(note(body)))


@given(body=BODIES)
@settings(max_examples=300)
def test_every_visible_character_outside_headings_is_in_a_chunk(
    chunker: SentenceChunker, body: str
) -> None:
    covered = {at for chunk in chunker(note(body)) for at in range(chunk.start, chunk.end)}
    prose = {at for _, start, end in sections(body) for at in range(start, end)}
    assert {at for at in prose if not body[at].isspace()} <= covered


@given(body=BODIES)
@settings(max_examples=300)
def test_no_chunk_crosses_a_heading_and_each_carries_its_own(
    chunker: SentenceChunker, body: str
) -> None:
    spans = list(sections(body))
    for chunk in chunker(note(body)):
        assert (chunk.heading, True) in {
            (heading, start <= chunk.start and chunk.end <= end) for heading, start, end in spans
        }


@given(body=BODIES)
@settings(max_examples=300)
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
    assert (
        chunker(note("")) == chunker(note(" \n\n ")) == chunker(note("## Only a heading\n")) == ()
    )


def test_hash_signs_without_a_blank_are_no_heading() -> None:
    assert list(sections("#grace is a tag\n##also")) == [("", 0, 22)]


def test_the_embedder_sees_title_heading_and_text(chunker: SentenceChunker) -> None:
    (chunk,) = chunker(note("## The seventh day  \nGod rested."))
    assert chunk.embedded_text == "On rest\nThe seventh day\nGod rested."


def test_chunks_are_equal_in_hash_when_they_read_the_same() -> None:
    here, there = (Chunk("a", n, "T", "H", "Text.", n, n + 5) for n in (0, 7))
    renamed = Chunk("a", 0, "Other", "H", "Text.", 0, 5)
    assert here.sha256 == there.sha256 != renamed.sha256
    assert re.fullmatch(r"[0-9a-f]{64}", here.sha256)


@pytest.mark.parametrize(("maximum", "overlap"), [(10, 10), (10, 11), (10, -1), (0, 0)])
def test_overlap_must_be_smaller_than_a_chunk(
    tokenizer: Tokenizer, maximum: int, overlap: int
) -> None:
    with pytest.raises(ConfigurationError, match="must be in"):
        SentenceChunker(tokenizer, max_tokens=maximum, overlap_tokens=overlap)


def test_a_chunkers_name_changes_with_its_cuts(tokenizer: Tokenizer) -> None:
    names = {
        SentenceChunker(tokenizer, max_tokens=100).name,
        SentenceChunker(tokenizer, max_tokens=200).name,
        SentenceChunker(tokenizer, max_tokens=200, overlap_tokens=0).name,
        WholeNoteChunker().name,
    }
    assert len(names) == 4


def test_a_whole_note_is_one_chunk() -> None:
    body = "## One\nFirst.\n## Two\nSecond."
    (chunk,) = WholeNoteChunker()(note(body))
    assert (chunk.text, chunk.start, chunk.end, chunk.position) == (body, 0, len(body), 0)
