"""Purge: what was deleted long enough ago goes for good, from the store and from the cache."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rag_core.cache.answers import AnswerCache
from rag_core.domain.note_store import NoteStore


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How many notes a purge removed for good, and of how many users."""

    users: int
    notes: int


class Purge:
    """Removes deleted notes for good, and every answer that may still quote them."""

    def __init__(self, *, store: NoteStore, answers: AnswerCache) -> None:
        self._store = store
        self._answers = answers

    async def run(self, before: datetime) -> PurgeReport:
        """Remove the notes deleted before that moment, user by user; running again does the rest.

        The answers go first: where that fails, the notes are still there to say that they must.

        Args:
            before: aware.

        Raises:
            CacheUnavailable: Redis cannot be reached, and may hold answers that quote the notes.
            DatabaseUnavailable: Postgres cannot be reached.
        """
        notes = 0
        users = await self._store.deleted(before)
        for user in users:
            await self._answers.forget(user)
            notes += await self._store.purge(user, before)
        return PurgeReport(len(users), notes)
