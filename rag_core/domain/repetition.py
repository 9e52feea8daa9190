"""Telling a near-duplicate: a text that says little but what was said before."""

from __future__ import annotations

NEAR_DUPLICATE = 0.8
"""Share of a text's runs of three words that were said already, from which it adds nothing."""

Run = tuple[str, ...]


class Said:
    """The texts said so far, as lists of words."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._runs: set[Run] = set()
        self._not_read: list[list[str]] = []

    def add(self, words: list[str]) -> None:
        """This has been said."""
        self._words.update(words)
        self._not_read.append(words)

    def repeats(self, words: list[str]) -> bool:
        """Whether this is a near-duplicate of all that was said together."""
        if not (self._not_read or self._runs):
            return False
        most = max(1, len(words) - 2)
        # A new word begins a new run: where enough are new, the runs need not be looked at.
        new = len(set(words[:-2]) - self._words)
        if (most - new) / most < NEAR_DUPLICATE:
            return False
        runs = _runs(words)
        return len(runs & self._all_runs()) / len(runs) >= NEAR_DUPLICATE

    def _all_runs(self) -> set[Run]:
        for words in self._not_read:
            self._runs |= _runs(words)
        self._not_read.clear()
        return self._runs


def _runs(words: list[str]) -> set[Run]:
    """Runs of three words; of fewer, the text itself."""
    return set(zip(words, words[1:], words[2:], strict=False)) or {tuple(words)}
