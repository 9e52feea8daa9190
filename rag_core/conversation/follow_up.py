"""Follow-ups by rules: which questions need what was asked before, and how they then read.

English only: in another language a question passes as it is. A rule that is not sure leaves a
question alone, for one that is changed wrongly is answered wrongly.
"""

from __future__ import annotations

import re

from rag_core.domain.words import is_telling

MOST_SENTENCES = 2
"""Of what was asked before that go in front of a follow-up; chosen."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_SENTENCE = re.compile(r"(?<=[?!.])\s+")

_OPENING = re.compile(
    r"(?:(?:ok(?:ay)?|well|yes|no|so|thanks)[,.!]?\s+)*"
    r"(?:(?:and|but|or)\s+)?(?:what|how)\s+about\b"
    r"|(?:and|but|or)\s+(?:what|how)\s+(?:of|if)\b"
    r"|what\s+else\b|who\s+else\b|where\s+else\b|why\s+else\b|how\s+else\b|when\s+else\b"
    r"|anything\s+else\b|anyone\s+else\b|any\s+(?:others?|more)\b",
    re.IGNORECASE,
)
"""How a question begins that takes the rest of itself from the one before."""

_WHOLE = re.compile(
    r"(?:(?:and|but|so|ok(?:ay)?)[, ]+)?"
    r"(?:why|how|when|where|who|whom|whose|which|which\s+ones?|what|why\s+not|how\s+so|how\s+come"
    r"|how\s+(?:many|much|long|often|far|old)|since\s+when|until\s+when|what\s+for|in\s+what\s+way"
    r"|by\s+whom|to\s+whom|for\s+whom|with\s+whom|from\s+whom|and\s+then|what\s+then"
    r"|what\s+happened(?:\s+(?:next|then|after(?:wards?)?|before))?|what\s+(?:next|more)"
    r"|really|for\s+example|such\s+as|like\s+what|says?\s+who|more|go\s+on|explain|continue"
    r"|tell\s+me\s+more|(?:can|could)\s+you\s+(?:explain|say\s+more|give\s+an\s+example)"
    r"|(?:give|show)\s+me\s+(?:an?\s+example|more))"
    r"(?:\s+(?:exactly|though|then|please))*\s*[?.!]*",
    re.IGNORECASE,
)
"""Whole questions that say nothing of what they are about."""

_CONJUNCTION = re.compile(r"(?:and|but|or|nor)\b[,]?\s*", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|for|from|to|with|without|about|after|before|during|under|among|against|through)"
    r"\s", re.IGNORECASE,
)  # fmt: skip
_ASKING = """
who whom whose what which when where why how is are was were am be been do does did has have had
can could will would shall should may might must
"""
_ASKS = frozenset(_ASKING.split())
"""One of these stands in every English question that is whole."""

_SUBJECTS = frozenset({"he", "she", "they"})
_POSSESSIVES = frozenset({"his", "its", "their", "theirs", "hers"})
_OBJECTS = frozenset({"him", "them", "her"})
_POINTING = frozenset({"this", "that", "these", "those"})
_SPANS = "morning evening year week month sunday day time age weekend"
_TIMES = frozenset(_SPANS.split())
"""What `this` points at in the world, and not in what was said: this year."""
_REFERRING = frozenset({"latter", "former", "same"})


def is_follow_up(question: str) -> bool:
    """Whether the question cannot be understood without the one before it."""
    text = question.strip()
    if _WHOLE.fullmatch(text) or _OPENING.match(text):
        return True
    return _is_fragment(text) or _points_back(text)


def combined(question: str, before: str) -> str:
    """The last sentences of what was asked before, and the follow-up after them."""
    sentences = _SENTENCE.split(before.strip())[-MOST_SENTENCES:]
    return " ".join([*sentences, question.strip()])


def _is_fragment(text: str) -> bool:
    """`And in Leviticus?`, `For whom?`: begins as a part of a sentence and asks nothing itself."""
    rest = _CONJUNCTION.sub("", text, count=1)
    if rest == text and not _PREPOSITION.match(text):
        return False
    words = [word.lower() for word in _WORD.findall(rest)]
    return not any(word in _ASKS for word in words)


def _points_back(text: str) -> bool:
    """Whether a pronoun stands before anything in the question that it could mean."""
    words = _WORD.findall(text)
    lower = [word.lower().replace("’", "'") for word in words]
    for at, word in enumerate(lower):
        before, after = lower[:at], lower[at + 1 :]
        if _is_pointer(word, before, after) and not any(_is_thing(each) for each in before):
            return True
    return False


def _is_pointer(word: str, before: list[str], after: list[str]) -> bool:
    following = after[0] if after else ""
    if word.partition("'")[0] in _SUBJECTS | _POSSESSIVES:
        return True
    if word.partition("'")[0] == "it":
        return not _is_empty_it(before, after)
    if word in _OBJECTS:
        return True
    if word in _REFERRING:
        return before[-1:] == ["the"] and not after
    if word in _POINTING:
        if following in _TIMES or before[-1:] in (["so"], ["all"]):
            return False
        return word != "that" or not after or (before[-1:] != [] and before[-1] in _ASKS)
    return word == "there" and not after


def _is_empty_it(before: list[str], after: list[str]) -> bool:
    """`What does it mean to fear God?`: it stands for what follows."""
    return any(word in after for word in ("to", "that", "when", "if", "for"))


def _is_thing(word: str) -> bool:
    """Whether a word could be what a pronoun means: any that says what a text is about."""
    return is_telling(word.partition("'")[0]) and word not in _ASKS
