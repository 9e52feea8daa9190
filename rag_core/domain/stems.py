"""Stems of English words: M. F. Porter, "An algorithm for suffix stripping", Program 14 (1980).

Words of other languages and numbers are given through it, too: they seldom end as these rules ask,
and a chunk and a question are stemmed alike.
"""

from __future__ import annotations

import re
from functools import lru_cache

_KEPT_WORDS = 50_000
"""A large library's vocabulary; some 10 MB."""
_MEASURE = re.compile("v+c+")
_NOT_AT_THE_END = "wxy"
_DOUBLES_KEPT = "lsz"

Endings = tuple[tuple[str, str], ...]

# The paper's steps 2 to 4; of several that fit, the longest counts.
_STEP_2: Endings = (
    ("ational", "ate"), ("ization", "ize"), ("iveness", "ive"), ("fulness", "ful"),
    ("ousness", "ous"), ("tional", "tion"), ("biliti", "ble"), ("entli", "ent"), ("ousli", "ous"),
    ("ation", "ate"), ("alism", "al"), ("aliti", "al"), ("iviti", "ive"), ("enci", "ence"),
    ("anci", "ance"), ("izer", "ize"), ("abli", "able"), ("alli", "al"), ("ator", "ate"),
    ("eli", "e"),
)  # fmt: skip
_STEP_3: Endings = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"),
    ("ness", ""), ("ful", ""),
)  # fmt: skip
_STEP_4: Endings = tuple(
    (ending, "")
    for ending in (
        *("ement", "ance", "ence", "able", "ible", "ment", "ant", "ent", "sion", "tion", "ism"),
        *("ate", "iti", "ous", "ive", "ize", "al", "er", "ic", "ou"),
    )
)


@lru_cache(maxsize=_KEPT_WORDS)
def stem(word: str) -> str:
    """The stem of a word in lower case; words of one or two letters are their own."""
    if len(word) <= 2:
        return word
    word = _without_y(_without_past(_without_plural(word)))
    word = _replaced(word, _STEP_2, least=1)
    word = _replaced(word, _STEP_3, least=1)
    word = _without_suffix(word)
    return _tidied(word)


def _form(word: str) -> str:
    """A `v` for each vowel and a `c` for each consonant; y after a consonant is a vowel."""
    form = ""
    for letter in word:
        vowel = letter in "aeiou" or (letter == "y" and form[-1:] == "c")
        form += "v" if vowel else "c"
    return form


def _measure(word: str) -> int:
    """The paper's m: how often a consonant follows a vowel."""
    return len(_MEASURE.findall(_form(word)))


def _is_short(word: str) -> bool:
    """The paper's *o: ends consonant, vowel, consonant, the last not w, x or y."""
    return _form(word)[-3:] == "cvc" and word[-1] not in _NOT_AT_THE_END


def _without_plural(word: str) -> str:
    for ending, kept in (("sses", "ss"), ("ies", "i"), ("ss", "ss"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + kept
    return word


def _without_past(word: str) -> str:
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) > 0 else word
    for ending in ("ed", "ing"):
        rest = word.removesuffix(ending)
        if rest != word:
            return _mended(rest) if "v" in _form(rest) else word
    return word


def _mended(word: str) -> str:
    """What is left of a past or a participle, as the other rules know it."""
    if word.endswith(("at", "bl", "iz")):
        return f"{word}e"
    if word[-2:-1] == word[-1] and _form(word)[-1] == "c" and word[-1] not in _DOUBLES_KEPT:
        return word[:-1]
    return f"{word}e" if _measure(word) == 1 and _is_short(word) else word


def _without_y(word: str) -> str:
    return f"{word[:-1]}i" if word.endswith("y") and "v" in _form(word[:-1]) else word


def _replaced(word: str, endings: Endings, *, least: int) -> str:
    for ending, kept in endings:
        if word.endswith(ending):
            rest = word.removesuffix(ending)
            return rest + kept if _measure(rest) >= least else word
    return word


def _without_suffix(word: str) -> str:
    """Step 4; of `sion` and `tion` the s and the t stay."""
    for ending, _ in _STEP_4:
        if word.endswith(ending):
            rest = word.removesuffix("ion" if ending in ("sion", "tion") else ending)
            return rest if _measure(rest) > 1 else word
    return word


def _tidied(word: str) -> str:
    """Step 5: no e at the end of what is long enough, and one l."""
    rest = word[:-1]
    if word.endswith("e") and (_measure(rest) > 1 or (_measure(rest) == 1 and not _is_short(rest))):
        word = rest
    return word[:-1] if word.endswith("ll") and _measure(word) > 1 else word
