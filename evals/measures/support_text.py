"""A text as the light check of support reads it: words with stems, and what is denied of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import zip_longest

from evals.measures.specifics import bare
from evals.measures.support_lexicon import (
    BASE_FORMS,
    CLAUSE_STARTS,
    DEGREES,
    DENIALS,
    DENYING,
    FRAMES,
    FUNCTION_WORDS,
    NEGATIONS,
    SCOPE_ENDS,
    SUBJECTS,
)

_TOKEN = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*|[.,;:!?()–—]")
_ENDINGS = (
    "ingly", "edly", "fulness", "fully", "lessness", "ousness", "iveness", "ation", "ness", "ment",
    "ings", "ing", "edst", "eth", "est", "ers", "er", "ed", "ies", "es", "ly", "s",
)  # fmt: skip
_SHORTEST_STEM = 3
_SCOPE = 6
"""Most content words that a negation reaches."""
_ONLY, _BUT, _EXCEPT = 4, 8, 16
"""Tokens within which "not … only", "no … but" and "none … except" are found: they deny nothing."""
_NO_LESS = (["less"], ["merely"], ["so"])


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign.

    `place` is its index among the tokens of the text. `denied` is said of the first content word
    that a negation reaches (and the second in "not true that he came"), `in_scope` of all of them.
    """

    text: str
    stem: str
    place: int
    is_word: bool
    content: bool
    negation: bool = False
    denied: bool = False
    in_scope: bool = False


@dataclass(frozen=True, slots=True)
class ParsedText:
    """The tokens of a text, in order."""

    tokens: tuple[Token, ...]

    @property
    def content(self) -> tuple[Token, ...]:
        """The words that carry content."""
        return tuple(token for token in self.tokens if token.content)

    @property
    def words(self) -> frozenset[str]:
        """Its words in lower case, without possessive endings."""
        return frozenset(token.text for token in self.tokens if token.is_word)

    @property
    def stems(self) -> frozenset[str]:
        """The stems of its words."""
        return frozenset(token.stem for token in self.tokens if token.is_word)

    @property
    def negations(self) -> int:
        """How many of its words deny something."""
        return sum(token.negation for token in self.tokens)

    @property
    def asks(self) -> bool:
        """Whether it holds a question, which may deny or affirm without a negation."""
        return any(token.text == "?" for token in self.tokens)


@lru_cache(20_000)
def parse(text: str) -> ParsedText:
    """Cut `text` into tokens, and mark what is denied."""
    tokens = [_token(place, match.group()) for place, match in enumerate(_TOKEN.finditer(text))]
    tokens = [replace(token, negation=_denies(tokens, token)) for token in tokens]
    scopes = [_scope(tokens, token.place) for token in tokens if token.negation]
    denied = {place for scope in scopes for place in _denied(tokens, scope)}
    in_scope = {place for scope in scopes for place in scope}
    return ParsedText(
        tuple(
            replace(token, denied=token.place in denied, in_scope=token.place in in_scope)
            for token in tokens
        )
    )


def clauses(text: ParsedText) -> list[list[Token]]:
    """The content words of `text`, parted at its signs and conjunctions; none is empty."""
    parts: list[list[Token]] = [[]]
    for token in text.tokens:
        if not token.is_word or token.text in CLAUSE_STARTS:
            parts.append([])
        elif token.content:
            parts[-1].append(token)
    return [part for part in parts if part]


@lru_cache(50_000)
def stem(word: str) -> str:
    """What forms of a word have in common: "rejoiced" and "rejoicing", "dig" and "dug"."""
    word = BASE_FORMS.get(word, word)
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            word = word.removesuffix(ending) + ("y" if ending == "ies" else "")
            break
    if len(word) > _SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "aeiouls":
        word = word[:-1]
    if word[-1:] == "y":
        word = word[:-1] + "i"
    return word[:-1] if len(word) > _SHORTEST_STEM and word[-1] in "ei" else word


def _token(place: int, raw: str) -> Token:
    text = bare(raw)
    is_word = raw[0].isalnum()
    content = is_word and text not in FUNCTION_WORDS and not text.endswith("n't")
    return Token(text, stem(text), place, is_word, content)


def _denies(tokens: Sequence[Token], token: Token) -> bool:
    after = [other.text for other in tokens[token.place + 1 :]]
    if token.text in DENYING and after[:1] == [DENYING[token.text]]:
        return True
    if token.text in DENIALS and after[:1] == ["that"]:
        return True
    if token.text not in NEGATIONS and not token.text.endswith("n't"):
        return False
    if after[:1] in (["but"], ["doubt"], ["that"]):  # "cannot but", "no doubt", "not that"
        return False
    if token.text in {"not", "no"} and ("only" in after[:_ONLY] or after[:1] in _NO_LESS):
        return False
    excepted = "but" in after[:_BUT] or "except" in after[:_EXCEPT]
    return not (excepted and token.text in {"no", "none", "nothing", "nobody"})


def _scope(tokens: Sequence[Token], negation: int) -> list[int]:
    """Places of the content words that a negation reaches."""
    following = tokens[negation + 1 :]
    if following and following[0].text in DEGREES:
        following = following[1:]
    reached = [token.place for token in _until_scope_ends(following) if token.content]
    return reached[:_SCOPE]


def _denied(tokens: Sequence[Token], scope: list[int]) -> list[int]:
    """The first place of a scope, and the next, too, where the first is but a frame."""
    framed = bool(scope) and tokens[scope[0]].text in FRAMES
    return scope[:2] if framed else scope[:1]


def _until_scope_ends(tokens: Sequence[Token]) -> Iterator[Token]:
    for token, after in zip_longest(tokens, tokens[1:]):
        if token.text in SCOPE_ENDS or token.text in {".", ";", ":", "?", "!"}:
            return
        if token.text == "," and after and after.text in SUBJECTS:
            return
        yield token
