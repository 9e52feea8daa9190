"""Which notes two embedders find for the same questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag_core.clock import Clock
from rag_core.domain.paired_shares import PairedShares
from rag_core.domain.query import Query
from rag_core.domain.question import Question
from rag_core.domain.ranking import Embedder, Retriever
from rag_core.domain.user import UserId
from rag_core.search.filters import named_filters

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

NEAREST = 5
"""Hits among which a note counts as found."""
BATCH_QUESTIONS = 64
"""Embedded together."""


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A question, and the user's notes of which each answers it, by their ids."""

    user: UserId
    question: Question
    notes: frozenset[str]


@dataclass(frozen=True, slots=True)
class NoteFinder:
    """Searches as the pipeline does, by one embedder."""

    embedder: Embedder
    retriever: Retriever
    clock: Clock

    async def finds(self, asked: Sequence[AnsweredQuestion]) -> list[bool]:
        """For each question, whether one of its notes is among the first `NEAREST` hits.

        Raises:
            DatabaseUnavailable: the store cannot be reached.
        """
        vectors = await self.embedder.embed([each.question.text for each in asked])
        return [await self._finds(each, of) for each, of in zip(asked, vectors, strict=True)]

    async def _finds(self, asked: AnsweredQuestion, vector: Vector) -> bool:
        text, today = asked.question.text, datetime.fromtimestamp(self.clock.now(), UTC).date()
        query = Query(vector, text, named=named_filters(text, today))
        ranking = await self.retriever.search(asked.user, query, k=NEAREST)
        return any(hit.note_id in asked.notes for hit in ranking.hits)


async def compare(
    old: NoteFinder,
    new: NoteFinder,
    asked: Sequence[AnsweredQuestion],
    *,
    progress: Callable[[int], object] = lambda questions: None,
) -> PairedShares:
    """Of how many of one or more questions each finds a note that answers.

    Args:
        progress: called with the number of questions just asked.
    """
    found: list[tuple[bool, bool]] = []
    for start in range(0, len(asked), BATCH_QUESTIONS):
        batch = asked[start : start + BATCH_QUESTIONS]
        found += zip(await old.finds(batch), await new.finds(batch), strict=True)
        progress(len(batch))
    return PairedShares(
        both=found.count((True, True)),
        first_only=found.count((True, False)),
        second_only=found.count((False, True)),
        neither=found.count((False, False)),
    )
