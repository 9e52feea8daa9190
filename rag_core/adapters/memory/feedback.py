"""Feedback in this process: the fake of the table in Postgres."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

from rag_core.clock import Clock
from rag_core.domain.feedback import MOST_KEPT, Feedback
from rag_core.domain.user import UserId


class MemoryFeedback:
    """FeedbackStore in a dictionary."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[UserId, dict[str, Feedback]] = {}

    async def put(self, user: UserId, feedback: Feedback) -> None:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        await asyncio.sleep(0)
        kept = self._kept.setdefault(user, {})
        kept.pop(feedback.id, None)  # so that the newest is the last
        given_at = datetime.fromtimestamp(self._clock.now(), UTC)
        kept[feedback.id] = replace(feedback, given_at=given_at)
        while len(kept) > MOST_KEPT:
            del kept[next(iter(kept))]

    async def given(self, user: UserId) -> list[Feedback]:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        await asyncio.sleep(0)
        return list(self._kept.get(user, {}).values())

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.feedback.FeedbackStore`."""
        await asyncio.sleep(0)
        self._kept.pop(user, None)
