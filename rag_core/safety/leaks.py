"""Holding back a stream just long enough to catch a leak before it is seen."""

from __future__ import annotations

import re
from collections.abc import Callable

from rag_core.domain.answer import LEAK_WORDS, leaks
from rag_core.domain.prompt import Prompt

HOLD_BACK_CHARACTERS = 160
"""More than the canary and than `LEAK_WORDS` words of the rules take as they are written."""

LONGEST_HOLD_CHARACTERS = 1_000
"""What is held back for the sake of words spread out by blanks, marks or another script."""

_WORD = re.compile(r"[a-z0-9]+", re.IGNORECASE)


class LeakFilter:
    """Passes a stream on to `emit` `LEAK_WORDS` words late, and nothing more once it leaks."""

    def __init__(self, prompt: Prompt, emit: Callable[[str], None]) -> None:
        self._prompt = prompt
        self._emit = emit
        self._held = ""
        self._leaked = False
        self.text = ""
        """What was emitted so far."""

    def feed(self, piece: str) -> None:
        """Take a piece; emit what has become safe to show."""
        self._held += piece
        self._leaked = self._leaked or leaks(self._held, self._prompt)
        self._release(self._safe_length())

    def end(self) -> None:
        """Emit what was held back: the stream has ended."""
        self._release(len(self._held))

    def add(self, text: str) -> None:
        """Emit a text of our own."""
        self._emit(text)

    def _safe_length(self) -> int:
        """Length of the text before everything that may be the beginning of a leak."""
        length = len(self._held)
        starts = [word.start() for word in _WORD.finditer(self._held)]
        spread = starts[-LEAK_WORDS] if len(starts) >= LEAK_WORDS else 0
        return max(0, length - LONGEST_HOLD_CHARACTERS, min(spread, length - HOLD_BACK_CHARACTERS))

    def _release(self, length: int) -> None:
        if length and not self._leaked:
            self.text += self._held[:length]
            self._emit(self._held[:length])
            self._held = self._held[length:]
