"""Tokens counted once: a kept count is used for what it is of, and for nothing else."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rag_core.domain import (
    Context,
    Hit,
    Note,
    Question,
    Ranking,
    SentenceChunker,
    TokenCount,
    Tokenizer,
    Verses,
    assemble_prompt,
    build_context,
    count_chunk,
    count_prompt,
    hit_of,
)

# fmt: off
PIECES = st.sampled_from([
    "grace", "peace.", " ", "  ", "\n", "\n\n", "God", "?!", "…", "🕊️", "ἀρχῇ.", "<", "notes",
    "</notes>", "|", "1:1", "(2)", "[3]", "it's", "\t", "#", "恵み", "e\u0301",
])
# fmt: on
TEXTS = st.lists(PIECES, min_size=1, max_size=80).map("".join).filter(str.strip)
NOTES = st.builds(
    Note,
    id=st.uuids().map(str),
    title=st.lists(PIECES, max_size=6).map("".join),
    body=TEXTS,
    date=st.none() | st.dates(date(1900, 1, 1), date(2100, 1, 1)),
    tags=st.lists(st.text(max_size=10), max_size=3).map(tuple),
    verses=st.just(()) | st.just((Verses("Gen", 4, 1, 7), Verses("Gen", 4, 8, 15))),
)
NOTE = Note("grace", "On grace", "Grace is given. It is not earned. " * 6)


class Counting:
    """The tokenizer, and how often it was asked."""

    def __init__(self, tokenizer: Tokenizer, name: str = "") -> None:
        self._tokenizer = tokenizer
        self.name = name or tokenizer.name
        self.truncate = tokenizer.truncate
        self.texts: list[str] = []

    def count(self, text: str) -> int:
        self.texts.append(text)
        return self._tokenizer.count(text)

    def blocks(self) -> int:
        """How many texts it counted that are more than a number in brackets."""
        return sum(len(text) > len("[100]") for text in self.texts)


def found(notes: list[Note], tokenizer: Tokenizer) -> list[Hit]:
    """Every chunk of the notes, counted as an ingest does."""
    cut = SentenceChunker(tokenizer, 40, 10)
    return [
        hit_of(note, count_chunk(note, chunk, tokenizer), 0.9)
        for note in notes
        for chunk in cut(note)
    ]


def built(hits: list[Hit], tokenizer: Tokenizer, max_tokens: int = 100_000) -> Context:
    return build_context(
        Ranking(tuple(hits)), tokenizer=tokenizer, max_tokens=max_tokens, min_score=0.0
    )


@given(notes=st.lists(NOTES, min_size=1, max_size=4), max_tokens=st.integers(0, 400))
def test_a_context_is_the_same_with_counts_from_the_ingest_as_when_all_is_counted(
    tokenizer: Tokenizer, notes: list[Note], max_tokens: int
) -> None:
    hits = found(notes, tokenizer)
    bare = [replace(hit, cost=None) for hit in hits]
    with_counts, counted = (built(each, tokenizer, max_tokens) for each in (hits, bare))
    assert with_counts.render() == counted.render()
    assert with_counts.tokens == counted.tokens


@given(notes=st.lists(NOTES, min_size=1, max_size=6))
def test_the_sum_of_the_counts_is_the_count_of_the_whole_text(
    tokenizer: Tokenizer, notes: list[Note]
) -> None:
    context = built(found(notes, tokenizer), tokenizer)
    whole = context.render() + "\n\n" if context else ""
    assert context.tokens == tokenizer.count(whole)


def test_every_number_that_a_source_may_have_takes_as_many_tokens(tokenizer: Tokenizer) -> None:
    assert {tokenizer.count(f"[{number}]") for number in range(1, 101)} == {3}


def test_nothing_is_counted_where_the_ingest_has_counted(tokenizer: Tokenizer) -> None:
    counting = Counting(tokenizer)
    assert built(found([NOTE], tokenizer), counting)
    assert counting.blocks() == 0


def test_a_count_by_another_tokenizer_is_not_used(tokenizer: Tokenizer) -> None:
    hits = found([NOTE], Counting(tokenizer, "before"))
    wrong = [replace(hit, cost=hit.cost and replace(hit.cost, tokens=1)) for hit in hits]
    counting = Counting(tokenizer, "after")
    context = built(wrong, counting)
    assert context.tokens == tokenizer.count(context.render() + "\n\n")
    assert counting.blocks() == len(context.sources)


def test_a_count_is_not_used_where_the_note_says_something_else_by_now(
    tokenizer: Tokenizer,
) -> None:
    """Whoever changes a title behind the store's back leaves the count that was."""
    (hit, *_) = found([NOTE], tokenizer)
    assert hit.cost
    for changed in (
        replace(hit, title="On grace, " * 10),
        replace(hit, text=hit.text + " So it is."),
        replace(hit, tags=("given",)),
        replace(hit, cost=TokenCount(1, "0" * 16)),
    ):
        context = built([changed], tokenizer)
        assert context.tokens == tokenizer.count(context.render() + "\n\n") > hit.cost.tokens - 1


@given(notes=st.lists(NOTES, max_size=3), asked=TEXTS)
def test_a_prompt_is_counted_from_its_parts(
    tokenizer: Tokenizer, notes: list[Note], asked: str
) -> None:
    """Exact but for where a part meets the next: the end of the notes, the question's beginning."""
    context = built(found(notes, tokenizer), tokenizer)
    prompt = assemble_prompt(Question(asked.strip()), context, canary="0" * 16)
    whole = sum(tokenizer.count(message.content) for message in prompt.messages)
    assert abs(count_prompt(prompt, tokenizer) - whole) <= 2


def test_the_notes_of_a_prompt_are_not_counted_again(tokenizer: Tokenizer) -> None:
    context = built(found([NOTE], tokenizer), tokenizer)
    prompt = assemble_prompt(Question("What is grace?"), context, canary="0" * 16)
    counting = Counting(tokenizer)
    assert count_prompt(prompt, counting) == sum(
        tokenizer.count(message.content) for message in prompt.messages
    )
    assert not any("earned" in text for text in counting.texts)
