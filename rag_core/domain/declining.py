"""How an answer says that it is none."""

from __future__ import annotations

import re

from rag_core.domain.citations import without_citations

DECLINING_TEXT = "Your notes do not answer this."
"""What the rules ask of a generator, and what is answered when nothing was found."""

_WORDS = re.compile(r"[a-z']+")


def declines(text: str) -> bool:
    """Whether the words of `text` are those of the declining sentence, and no more."""
    return _words(without_citations(text)) == _words(DECLINING_TEXT)


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.lower())
