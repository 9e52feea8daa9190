"""Specifics: the numbers and proper names of a text, and those that another text lacks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby, pairwise

from evals.measures.support_lexicon import BIBLICAL_NAMES, DIVINE_NAMES, FUNCTION_WORDS

_COUNTING = """zero one two three four five six seven eight nine ten eleven twelve thirteen
fourteen fifteen sixteen seventeen eighteen nineteen twenty"""
_ORDINALS = "third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBER_WORDS = {word: str(number) for number, word in enumerate(_COUNTING.split())}
NUMBER_WORDS |= {word: str(number) for number, word in enumerate(_ORDINALS.split(), start=3)}
NUMBER_WORDS |= {word: str(10 * ten) for ten, word in enumerate(_TENS.split(), start=2)}
NUMBER_WORDS |= {"both": "2", "twice": "2", "thrice": "3", "hundred": "100", "thousand": "1000"}

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_ROMAN = re.compile(r"\b(?=[ivxl]{2})(?:xl|l?x{0,3})(?:ix|iv|v?i{0,3})(?<=[ivxl])\b")  # not "ill"
_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50}
_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_SENTENCE_START = re.compile(r"""(?:^|[.!?:…]["'”’)\]]*\s+|["“‘(])["'“”‘’(\[]*$""")
_NO_NAMES = {"i", "i'm", "i've", "i'll", "i'd", "bible", "scripture", "scriptures"}
_SHORTEST_ABBREVIATION = 3


def missing_numbers(claim: str, source: str) -> tuple[str, ...]:
    """Numbers of `claim` that `source` does not have, in digits.

    Digits, words, ordinals above the second and small Roman numerals agree with each other.
    """
    # "one" is a pronoun far more often than a number: it is no claim, but it does support a "1".
    known = _numbers(source) | ({"1"} if "one" in words(source) else set())
    return tuple(sorted(_numbers(claim) - known))


def missing_names(claim: str, source: str) -> tuple[str, ...]:
    """Proper names of `claim` that `source` does not have.

    A name is a capitalised word that does not begin a sentence, or a biblical name. A possessive
    agrees with its name, an abbreviation of three letters or more with the whole, and any divine
    name with any other.
    """
    known = words(source)
    return tuple(name for name in _names(claim) if not _is_named(name, known))


def words(text: str) -> set[str]:
    """The words of `text` in lower case, without possessive endings."""
    return {bare(match.group()) for match in _WORD.finditer(text)}


def bare(word: str) -> str:
    """In one case, without a possessive ending."""
    return word.casefold().replace("’", "'").removesuffix("'s").removesuffix("'")


def _numbers(text: str) -> set[str]:
    digits = {number.replace(",", "") for number in _NUMBER.findall(text)}
    counted = {str(_value(run)) for run in _runs(text) if run != ["one"]}
    return digits | counted | {_from_roman(roman) for roman in _ROMAN.findall(text)}


def _runs(text: str) -> Iterator[list[str]]:
    """Number words that stand together: "five hundred", "twenty-three"."""
    written = (part for match in _WORD.finditer(text) for part in bare(match.group()).split("-"))
    for counts, run in groupby(written, NUMBER_WORDS.__contains__):
        if counts:
            yield list(run)


def _value(run: list[str]) -> int:
    thousands = below = 0
    for number in (int(NUMBER_WORDS[word]) for word in run):
        if number == 1000:
            thousands, below = thousands + max(below, 1) * 1000, 0
        else:
            below = max(below, 1) * 100 if number == 100 else below + number
    return thousands + below


def _from_roman(numeral: str) -> str:
    values = [_ROMAN_DIGITS[letter] for letter in numeral] + [0]
    return str(sum(-value if value < after else value for value, after in pairwise(values)))


def _names(text: str) -> list[str]:
    return [
        match.group()
        for match in _WORD.finditer(text)
        if match.group()[0].isupper()
        and bare(match.group()) not in _NO_NAMES
        and (
            bare(match.group()) in BIBLICAL_NAMES
            or not _SENTENCE_START.search(text[: match.start()])
        )
    ]


def _is_named(name: str, known: set[str]) -> bool:
    plain = bare(name)
    if plain in known or plain in NUMBER_WORDS:
        return True
    return (plain in DIVINE_NAMES and bool(known & DIVINE_NAMES)) or any(
        plain.startswith(word) or word.startswith(plain)
        for word in known - FUNCTION_WORDS
        if min(len(word), len(plain)) >= _SHORTEST_ABBREVIATION
    )
