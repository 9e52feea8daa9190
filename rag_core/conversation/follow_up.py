"""Follow-ups by rules: which questions need what was asked before, and how they then read.

English only: in another language a question passes as it is. A rule that is not sure leaves a
question alone, for one that is changed wrongly is answered wrongly.
"""

from __future__ import annotations

import re

from rag_core.conversation.reference import is_asking, points_back, words_of

MOST_SENTENCES = 2
"""Of what was asked before that go in front of a follow-up; chosen."""
MOST_BEFORE = 60
"""Words of them: a question of 150 tokens, where it is cut, has room for the follow-up, too."""
MOST_WORDS = 12
"""Of a part of a sentence that is taken for a follow-up; chosen."""

_SENTENCE = re.compile(r"(?<=[?!.])\s+")

_OPENING = re.compile(
    r"(?:(?:ok(?:ay)?|well|yes|no|so|thanks)[,.!]?\s+)*"
    r"(?:(?:and|but|or)\s+)?(?:(?:what|how)\s+about|what\s+of)\b"
    r"|(?:(?:and|but)\s+)?(?:what|who|where|why|how|when)\s+else\b"
    r"|any(?:thing|one|body)\s+else\b|any\s+(?:others?|more)\b"
    r"|(?:the\s+)?same\s+(?:for|in|with|of|question)\b"
    r"|(?:and\s+)?the\s+(?:others?|rest|(?:other|first|second|third|last|next)(?:\s+\w+)?)\s*\?",
    re.IGNORECASE,
)
"""How a question begins that takes the rest of itself from the one before."""

_WHOLE = re.compile(
    r"(?:(?:and|but|so|ok(?:ay)?)[, ]+)?"
    r"(?:why|how|when|where|who|whom|whose|which|which\s+ones?|what|why\s+not|how\s+so|how\s+come"
    r"|how\s+(?:many|much|long|often|far|old)|since\s+when|until\s+when|what\s+for|in\s+what\s+way"
    r"|(?:by|to|for|with|from|against)\s+whom|and\s+then|what\s+then"
    r"|what\s+happened(?:\s+(?:next|then|there|after(?:wards?)?|before))?|what\s+(?:next|more)"
    r"|really|for\s+example|such\s+as|like\s+what|says?\s+who|more|go\s+on|explain|continue"
    r"|tell\s+me\s+more|(?:can|could)\s+you\s+(?:explain|say\s+more|give\s+an\s+example)"
    r"|(?:give|show)\s+me\s+(?:an?\s+example|more))"
    r"(?:\s+(?:exactly|though|then|please))*\s*[?.!]*",
    re.IGNORECASE,
)
"""Whole questions that say nothing of what they are about."""

_CONJUNCTION = re.compile(r"(?:and|but|or|nor)\b,?\s*", re.IGNORECASE)
_PREPOSITION = re.compile(
    r"(?:in|on|at|by|for|from|to|with|without|about|after|before|during|under|against|through)\s",
    re.IGNORECASE,
)
_ABOUT = re.compile(r"(?:(?:and|but|or)[,\s]+)?(?:(?:what|how)\s+(?:about|of)\s+)?", re.IGNORECASE)
_YEAR = re.compile(r"\b(?:1[5-9]|20)\d\d\b")


def is_follow_up(question: str) -> bool:
    """Whether the question cannot be understood without the one before it."""
    text = question.strip()
    if _WHOLE.fullmatch(text) or _OPENING.match(text):
        return True
    return _is_fragment(text) or points_back(text)


def combined(question: str, before: str) -> str:
    """The follow-up as a question of its own, after `before`, itself a question of its own.

    What it names takes the place of the like in the question before, where there is just one;
    else the last sentences of that question go in front of it.
    """
    if swapped := _swapped(question.strip(), before.strip()):
        return swapped
    sentences = _SENTENCE.split(before.strip())[-MOST_SENTENCES:]
    return " ".join([*" ".join(sentences).split()[-MOST_BEFORE:], question.strip()])


def _swapped(question: str, before: str) -> str | None:
    """`And in 2023?` after a question of 2022: that question, of 2023."""
    named = question[_ABOUT.match(question).end() :].rstrip(" ?.!")  # type: ignore[union-attr]
    years = _YEAR.findall(named)
    if len(years) == 1 and len(words_of(named)) <= 2:
        asked = set(_YEAR.findall(before))
        return before.replace(asked.pop(), years[0]) if len(asked) == 1 else None
    return None


def _is_fragment(text: str) -> bool:
    """`And in Leviticus?`, `For Lent?`: begins as a part of a sentence and asks nothing itself."""
    joined = _CONJUNCTION.match(text)
    rest = text[joined.end() :] if joined else text
    words = [word.lower() for word in words_of(rest)]
    if not text.endswith("?") or not words or len(words) > MOST_WORDS:
        return False
    if not joined:
        return bool(_PREPOSITION.match(text)) and not any(map(is_asking, words))
    parts = [words_of(part) for part in rest.split(",")]
    return not any(part and is_asking(part[0].lower()) for part in parts)
