"""Headings: a chunk carries its own, cut where it is repeated and found where it stands."""

from __future__ import annotations

import pytest
from hypothesis import given

from rag_core.domain import SentenceChunker, split_sections
from tests.rag_core.domain.chunks.notes_to_cut import BODIES, lost, note

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


def test_hash_signs_without_a_blank_are_no_heading() -> None:
    assert [section.heading for section in split_sections("#grace is a tag\n##also")] == [""]
