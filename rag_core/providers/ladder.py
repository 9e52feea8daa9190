"""The way down where no provider could answer: STALE, DEGRADED, or the failure itself."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from rag_core.domain.answer import Answer, Flag, Provenance
from rag_core.domain.context import Context
from rag_core.domain.question import Question
from rag_core.domain.user import UserId
from rag_core.errors import BudgetExhausted, ProviderError, ProviderUnavailable, Unavailable
from rag_core.providers.generation import BrokenOff, Generation

NO_PROVIDER = (ProviderUnavailable, ProviderError)
"""What the ladder leads down from."""


class Ladder:
    """What is served instead of an answer that no provider could write.

    Args:
        quoting: the generation of the extractive generator, which needs no service; None where
            there is none, or where it is what failed.
    """

    def __init__(self, quoting: Generation | None) -> None:
        self._quoting = quoting

    async def down(
        self,
        failure: ProviderUnavailable | ProviderError,
        user: UserId,
        question: Question,
        context: Context,
        evidence: str,
        stale: Callable[[], Answer | None],
    ) -> Answer:
        """The answer of the highest rung that holds.

        What was seen already is not taken back: it ends with a marker. Else an earlier answer
        whose evidence stands, STALE; else passages of the notes, DEGRADED. None of them is stored.

        Raises:
            ProviderUnavailable, ProviderError: `failure`, as no rung holds.
        """
        if isinstance(failure, BrokenOff):
            return failure.answer
        if earlier := stale():
            return earlier
        if self._quoting is None:
            raise failure
        try:
            draft = await self._quoting.draft(user, question, context, None)
        except (Unavailable, ProviderError):
            raise failure from None
        answer = self._quoting.checked(draft, evidence)
        spent = (Flag.BUDGET_SPENT,) if isinstance(failure, BudgetExhausted) else ()
        return replace(answer, provenance=Provenance.DEGRADED, flags=answer.flags + spent)
