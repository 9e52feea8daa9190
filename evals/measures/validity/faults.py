"""Faults made by rule: an answer's sentences and their citations, spoilt in one known way each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from evals.measures.specifics import NUMBER_WORDS
from rag_core.domain import (
    DECLINING_TEXT,
    Context,
    marks_inside_sentences,
    resolve_citations,
    split_sentences,
    without_citations,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an answer without its marks, and the numbers of the sources that it cites."""

    text: str
    numbers: tuple[int, ...] = ()

    def __str__(self) -> str:
        marks = "".join(f"[{number}]" for number in self.numbers)
        return f"{self.text} {marks}".strip()


@dataclass(frozen=True, slots=True)
class Material:
    """What faults are made of: the sources of the answer, and another user's words."""

    context: Context
    foreign: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of all sources."""
        return tuple(source.number for source in self.context.sources)

    @property
    def words(self) -> str:
        """The texts of all sources."""
        return "\n".join(source.text for source in self.context.sources)


Fault = Callable[[Sequence[Sentence], Material], Sequence[Sentence]]

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|am|has|have|had|will|shall|can|could|may|might|must|should|would|do|does|"
    r"did)\b(\s+not\b)?"
)
_NOT = re.compile(r"\b(?:not|never)\s+")
# A capitalised word within a sentence: behind a word or a comma, not behind a full stop.
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+\b")
_NOT_COUNTED = ("one", "zero", "both", "twice", "thrice")
_COUNTED = "|".join(word for word in NUMBER_WORDS if word not in _NOT_COUNTED)
_NUMBER = re.compile(rf"\b(?:\d+|{_COUNTED})\b")


def sentences(text: str, known: Iterable[int]) -> list[Sentence]:
    """The sentences of an answer; marks that are not `known` numbers are dropped."""
    numbers = set(known)
    return [
        Sentence(without_citations(sentence), resolve_citations(sentence, numbers).numbers)
        for line in text.splitlines()
        for sentence in split_sentences(marks_inside_sentences(line))
    ]


def written(answer: Iterable[Sentence]) -> str:
    """The answer's text, a sentence a line, with its marks."""
    return "\n".join(map(str, answer))


def negated(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """Every sentence says the opposite: its first verb gets a "not", or loses it."""
    return [replace(each, text=_negation(each.text)) for each in answer]


def swapped(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """Numbers and names give way to others of the same sources, where there are any."""
    pools = {kind: kind.findall(material.words) for kind in (_NUMBER, _NAME)}
    return [replace(each, text=_exchanged(each.text, pools)) for each in answer]


def another_sentence(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """Each sentence gives way to another of the source that it cites; the citation stays."""
    said = {each.text for each in answer}
    spoilt = []
    for each in answer:
        other = next((text for text in _cited(each, material) if text not in said), each.text)
        said.add(other)
        spoilt.append(replace(each, text=other))
    return spoilt


def another_note(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """The same words cite a source that they did not cite."""
    spoilt = []
    for each in answer:
        others = [number for number in material.numbers if number not in each.numbers]
        spoilt.append(replace(each, numbers=tuple(others[:1]) if each.numbers else ()))
    return spoilt


def all_cited(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """Every sentence cites every source."""
    return [replace(each, numbers=material.numbers) for each in answer]


def declined(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """Nothing but the sentence that declines."""
    return [Sentence(DECLINING_TEXT)]


def foreign_words(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """The words are another user's, the citations stay."""
    pairs = zip(answer, material.foreign, strict=False)
    return [replace(each, text=foreign) for each, foreign in pairs]


def halved(answer: Sequence[Sentence], material: Material) -> list[Sentence]:
    """The first half of the sentences; of one sentence, the first half of its words."""
    if len(answer) > 1:
        return list(answer[: len(answer) // 2])
    return [replace(each, text=_half(each.text)) for each in answer]


FAULTS: Mapping[str, Fault] = {
    "negated": negated,
    "swapped": swapped,
    "another_sentence": another_sentence,
    "another_note": another_note,
    "all_cited": all_cited,
    "declined": declined,
    "foreign_words": foreign_words,
    "halved": halved,
}
"""By the kind that tables show."""


def _negation(text: str) -> str:
    if verb := _AUXILIARY.search(text):
        said = verb.group(1) if verb.group(2) else f"{verb.group(1)} not"
        return text[: verb.start()] + said + text[verb.end() :]
    if _NOT.search(text):
        return _NOT.sub("", text, count=1)
    return f"It is not true that {text[:1].lower()}{text[1:]}"


def _exchanged(text: str, pools: Mapping[re.Pattern[str], Sequence[str]]) -> str:
    for kind, pool in pools.items():
        present = set(kind.findall(text))
        others = [word for word in dict.fromkeys(pool) if word not in present]
        exchange = dict(zip(sorted(present), others, strict=False))
        text = kind.sub(partial(_from, exchange), text)
    return text


def _from(exchange: Mapping[str, str], match: re.Match[str]) -> str:
    return exchange.get(match[0], match[0])


def _cited(sentence: Sentence, material: Material) -> Iterator[str]:
    for number in sentence.numbers:
        if source := material.context.source(number):
            yield from split_sentences(source.text)


def _half(text: str) -> str:
    words = text.split()
    return " ".join(words[: (len(words) + 1) // 2])
