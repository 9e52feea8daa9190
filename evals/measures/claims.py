"""Claims: the sentences of an answer, each with the citations that it carries."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

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

_COUNTING = """zero one two three four five six seven eight nine ten eleven twelve thirteen
fourteen fifteen sixteen seventeen eighteen nineteen twenty"""
NUMBER_WORDS = {word: str(number) for number, word in enumerate(_COUNTING.split())}
NUMBER_WORDS |= {"thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "thousand": "1000"}

_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"""(?:^|[.!?:…]["'”’)\]]*\s+|["“‘(])["'“”‘’(\[]*$""")
_PRONOUNS = {"i", "i'm", "i've", "i'll", "i'd"}


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


def quoted_in(text: str, source: str) -> bool:
    """Whether `text`, its own quotation marks and last full stop aside, stands in `source`."""
    needle = folded(text).strip(_QUOTES).rstrip(".…").strip(_QUOTES)
    return bool(needle) and needle in folded(source)


def sentence_units(text: str) -> list[str]:
    """The sentences of `text` and its pairs of adjacent sentences."""
    single = split_sentences(text)
    return single + [f"{first} {second}" for first, second in pairwise(single)]


def disagreements(claim: str, source: str) -> tuple[str, ...]:
    """Numbers and proper names of `claim` that `source` does not have.

    A name is a capitalised word that does not begin a sentence. Numbers agree as digits or words
    up to twenty, and a possessive agrees with its name.
    """
    known_words = _words(source)
    # "one" is a pronoun far more often than a number: it is no claim, but it does support a "1".
    known_numbers = _numbers(source) | ({"1"} if "one" in known_words else set())
    missing = sorted(_numbers(claim) - known_numbers)
    missing += [name for name in _names(claim) if _bare(name) not in known_words]
    return tuple(missing)


def _numbers(text: str) -> set[str]:
    words = _words(text) - {"one"}
    written = {NUMBER_WORDS[word] for word in words if word in NUMBER_WORDS}
    digits = {part for number in _NUMBER.findall(text) for part in number.split(":")}
    return written | {number.replace(",", "") for number in digits}


def _names(text: str) -> list[str]:
    return [
        match.group()
        for match in _WORD.finditer(text)
        if match.group()[0].isupper()
        and match.group().casefold().replace("’", "'") not in _PRONOUNS
        and not _SENTENCE_START.search(text[: match.start()])
    ]


def _words(text: str) -> set[str]:
    return {_bare(match.group()) for match in _WORD.finditer(text)}


def _bare(word: str) -> str:
    """In one case, without a possessive ending."""
    folded_word = word.casefold().replace("’", "'")
    return folded_word.removesuffix("'s").removesuffix("'")
