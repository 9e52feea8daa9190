"""Claims: the sentences of an answer, each with the citations that it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag_core.domain import (
    Answer,
    Citation,
    marks_inside_sentences,
    resolve_citations,
    split_sentences,
    without_citations,
)

_BULLET = re.compile(r"^\s*(?:[-*•‣–]|\d{1,2}[.)])\s+")
_PARAGRAPH = re.compile(r"\n\s*\n|(?<=\])[ \t]*\n|\n(?=\s*(?:[-*•‣–]|\d{1,2}[.)])\s)")
_QUOTES = "\"'“”‘’«» \t"
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer without its marks, and the citations it names."""

    text: str
    citations: tuple[Citation, ...]


def claims(answer: Answer) -> tuple[Claim, ...]:
    """The sentences of `answer` that say something.

    A mark belongs to the sentence it stands in or directly behind. Lead-ins that end with a
    colon ("Your notes say:") and pieces without a letter claim nothing.
    """
    by_number = {citation.number: citation for citation in answer.citations}
    found = []
    for paragraph in _PARAGRAPH.split(answer.text):
        for sentence in split_sentences(marks_inside_sentences(_BULLET.sub("", paragraph))):
            text = without_citations(sentence)
            if _LETTER.search(text) and not text.endswith(":"):
                numbers = resolve_citations(sentence, by_number).numbers
                found.append(Claim(text, tuple(by_number[number] for number in numbers)))
    return tuple(found)


def evidence(citation: Citation) -> str:
    """All that a citation shows: its note's title, date and verses, and the cited text."""
    dated = citation.date.isoformat() if citation.date else ""
    return "\n".join((citation.title, dated, "; ".join(citation.verses), citation.quote))


def folded(text: str) -> str:
    """`text` in one case, with plain quotes and single blanks, so that quotes can be found."""
    plain = text.casefold().replace("’", "'").replace("‘", "'").replace("“", '"').replace("”", '"')
    return " ".join(plain.split())


def bare_quote(text: str) -> str:
    """`text` folded, without its own quotation marks and last full stop."""
    return folded(text).strip(_QUOTES).rstrip(".…").strip(_QUOTES)


def sentences(text: str) -> list[str]:
    """The sentences of `text`, line by line; a bullet is none of them."""
    return [
        sentence
        for line in text.splitlines()
        for sentence in split_sentences(_BULLET.sub("", line))
        if _LETTER.search(sentence)
    ]
