"""The context: the hits that fit the token budget, numbered for citation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag_core.domain.chunks import Chunk
from rag_core.domain.notes import Note, Verses
from rag_core.domain.ranking import Hit, Ranking, hit_of
from rag_core.domain.repetition import Said
from rag_core.domain.sentences import split_sentences
from rag_core.domain.tokens import Tokenizer, count_again, count_once

_FIRST = 1
"""The number under which a chunk is counted; the others have as many digits, or more."""

_FACT_CHARACTERS = 200
"""What a note may say of itself must leave room for what it says."""

# A note must not be able to close the block it stands in, nor open a chat turn.
_DELIMITER = re.compile(r"<(?=\s*(?:/?\s*notes\b|\|))", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered piece of the context: whole sentences of one hit."""

    number: int
    hit: Hit
    text: str

    def render(self) -> str:
        """The block a generator sees: number, title, date, tags and verses, then the text."""
        hit = self.hit
        facts = [hit.title or hit.note_id]
        if hit.date:
            facts.append(hit.date.isoformat())
        if hit.tags:
            facts.append("tags: " + ", ".join(hit.tags))
        if hit.verses:
            facts.append("verses: " + "; ".join(map(str, merge_verses(hit.verses))))
        if hit.heading:
            facts.append(hit.heading)
        head = " | ".join(map(_shortened, facts))
        return _DELIMITER.sub("‹", f"[{self.number}] {head}\n{self.text}")


@dataclass(frozen=True, slots=True)
class Context:
    """The numbered sources that the generator may answer from, within the token budget."""

    sources: tuple[Source, ...] = ()
    tokens: int = 0
    _by_number: dict[int, Source] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._by_number.update({source.number: source for source in self.sources})

    def __bool__(self) -> bool:
        return bool(self.sources)

    def source(self, number: int) -> Source | None:
        """The source that `[number]` cites, if any."""
        return self._by_number.get(number)

    def render(self) -> str:
        """The blocks of all sources, a blank line between them."""
        return "\n\n".join(source.render() for source in self.sources)


def build_context(
    ranking: Ranking, *, tokenizer: Tokenizer, max_tokens: int, min_score: float
) -> Context:
    """Take hits of at least `min_score` in order until `max_tokens` (metadata included) are used.

    Near-duplicates of earlier hits are dropped; the last hit that fits only in part gives its
    leading whole sentences.
    """
    sources: list[Source] = []
    said = Said()
    room = max_tokens
    for hit in ranking.hits:
        words = hit.text.lower().split()
        if hit.score < min_score or said.repeats(words):
            continue
        fitted = _fit(Source(len(sources) + 1, hit, hit.text), tokenizer, room)
        if fitted is None:
            continue
        source, tokens = fitted
        sources.append(source)
        said.add(words)
        room -= tokens
    return Context(tuple(sources), max_tokens - room)


def count_chunk(note: Note, chunk: Chunk, tokenizer: Tokenizer) -> Chunk:
    """The chunk with what it takes of a context as a whole, for the store to keep."""
    source = Source(_FIRST, hit_of(note, chunk, 0.0), chunk.text)
    return replace(chunk, cost=count_once(_block(source), tokenizer))


def merge_verses(verses: Sequence[Verses]) -> Iterator[Verses]:
    """Join ranges that follow one another: Gen 4:1-7, Gen 4:8-15 become Gen 4:1-15."""
    pending: Verses | None = None
    for verse in verses:
        if pending and _touch(pending, verse):
            first, last = min(pending.first, verse.first), max(pending.last, verse.last)
            pending = pending._replace(first=first, last=last)
            continue
        if pending:
            yield pending
        pending = verse
    if pending:
        yield pending


def _touch(one: Verses, other: Verses) -> bool:
    """Whether two ranges of one chapter overlap or follow one another."""
    same_chapter = one[:2] == other[:2]
    return same_chapter and other.first <= one.last + 1 and one.first <= other.last + 1


def _fit(source: Source, tokenizer: Tokenizer, room: int) -> tuple[Source, int] | None:
    """The source in whole sentences within `room` tokens, and its tokens; None if not one fits."""
    whole = _cost(source, tokenizer)
    if whole <= room:
        return source, whole
    kept: tuple[Source, int] | None = None
    start = 0
    for sentence in split_sentences(source.text):
        end = source.text.index(sentence, start) + len(sentence)
        cut = replace(source, text=source.text[:end])
        tokens = _cost(cut, tokenizer)
        if tokens > room:
            break
        kept, start = (cut, tokens), end
    return kept


def _shortened(fact: str) -> str:
    return fact if len(fact) <= _FACT_CHARACTERS else fact[: _FACT_CHARACTERS - 1] + "…"


def _cost(source: Source, tokenizer: Tokenizer) -> int:
    """Tokens of the block and of the blank line that follows it.

    What the chunk as a whole takes was counted under the first number. No token spans from a
    number to the brackets around it, so another number is worth the difference of the two.
    """
    as_first = Source(_FIRST, source.hit, source.text)
    tokens = count_again(_block(as_first), tokenizer, source.hit.cost)
    return tokens + _number(source.number, tokenizer) - _number(_FIRST, tokenizer)


def _block(source: Source) -> str:
    return source.render() + "\n\n"


def _number(number: int, tokenizer: Tokenizer) -> int:
    return tokenizer.count(f"[{number}]")
