"""What a writer wants to be stored before its change: nothing, something, or what it has seen."""

from __future__ import annotations

from dataclasses import dataclass

from rag_core.errors import PreconditionFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Holds what is stored to what a change was made for.

    Args:
        versions: one of them is stored, where None among them is nothing; None: it does not matter.
        exists: whether anything is; None: it does not matter.
    """

    versions: frozenset[str | None] | None = None
    exists: bool | None = None

    def check(self, stored: str | None) -> None:
        """Let a change of the version `stored` pass; None: nothing is stored.

        Raises:
            PreconditionFailed: something else is wanted.
        """
        other = self.versions is not None and stored not in self.versions
        if other or (self.exists is not None and self.exists != (stored is not None)):
            now = "has changed" if stored else "is not there"
            problem = "is there already" if self.exists is False else now
            raise PreconditionFailed(f"the note {problem}", "Read it again", stored=stored)


ALWAYS = Condition()
"""Whatever is stored may be changed."""
