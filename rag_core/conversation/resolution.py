"""From what was typed to a question of its own: as it is, by a provider, or by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag_core.conversation.follow_up import combined, is_follow_up
from rag_core.conversation.sessions import Turn
from rag_core.domain.question import normalise
from rag_core.domain.user import UserId
from rag_core.safety.injection import find_attack

RULES = "rules"
"""Who made a question of a follow-up, where no provider did."""

EARLIER = 3
"""Questions of a session that a provider reads; chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What a provider made of a follow-up."""

    question: str
    by: str
    """The provider's name."""
    cost_usd: float


class Rewriter(Protocol):
    """Makes a question of its own of a follow-up."""

    async def rewrite(
        self, user: UserId, follow_up: str, earlier: Sequence[str]
    ) -> Rewritten | None:
        """The follow-up after these questions, the oldest first; None where nothing usable came.

        `user` pays.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The question that is answered in place of what was typed."""

    question: str
    by: str = ""
    """`rules`, or a provider's name; empty: nothing was changed."""
    cost_usd: float = 0.0
    notes: tuple[str, ...] = ()
    """Ids of the notes that the turns rest on from which it was made."""


class Resolver:
    """Resolves follow-ups; reads questions only, never an answer and so no word of a note.

    Args:
        rewriter: asked first for what the rules take for a follow-up; None: the rules alone.
    """

    def __init__(self, rewriter: Rewriter | None = None) -> None:
        self._rewriter = rewriter

    async def resolve(self, user: UserId, asked: str, turns: Sequence[Turn]) -> Resolution:
        """What to answer after `turns`, the oldest first.

        A question that stands alone is not changed, nor is an attack, which the pipeline refuses.
        """
        text = normalise(asked)
        if not turns or not is_follow_up(text) or find_attack(asked):
            return Resolution(question=asked)
        last = turns[-1]
        if text.casefold() == normalise(last.asked).casefold():  # asked again, and meant again
            return Resolution(question=last.question, by=RULES, notes=last.notes)
        if self._rewriter:
            read = turns[-EARLIER:]
            earlier = [turn.question for turn in read]
            if written := await self._rewriter.rewrite(user, text, earlier):
                notes = tuple(sorted({note for turn in read for note in turn.notes}))
                return Resolution(
                    question=written.question,
                    by=written.by,
                    cost_usd=written.cost_usd,
                    notes=notes,
                )
        return Resolution(question=combined(text, last.question), by=RULES, notes=last.notes)
