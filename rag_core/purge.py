"""Purge: what was deleted long enough ago goes for good, from the stores and from the caches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from rag_core.cache.answers import AnswerCache
from rag_core.cache.embeddings import EmbeddingCache
from rag_core.conversation.sessions import SessionStore
from rag_core.conversation.standing import standing
from rag_core.domain.document_store import DocumentStore
from rag_core.domain.feedback import FeedbackStore
from rag_core.domain.imports import ImportRecords
from rag_core.domain.note_store import NoteStore
from rag_core.domain.user import UserId

_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class PurgeReport:
    """How many notes a purge removed for good, and of how many users."""

    users: int
    notes: int


class Purge:
    """Removes deleted notes for good, answers that may quote them and turns that rest on them."""

    def __init__(
        self,
        *,
        store: NoteStore,
        answers: AnswerCache,
        embeddings: EmbeddingCache,
        imports: ImportRecords,
        sessions: SessionStore,
        feedback: FeedbackStore,
        documents: DocumentStore,
    ) -> None:
        self._store = store
        self._answers = answers
        self._embeddings = embeddings
        self._imports = imports
        self._sessions = sessions
        self._feedback = feedback
        self._documents = documents

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
        lost = {*await self._store.deleted(before), *await self._documents.deleted(before)}
        users = sorted(lost)
        for user in users:
            await self._answers.forget(user)
            await standing(self._sessions, self._store, user, await self._sessions.sessions(user))
            await self._documents.purge(user, before)
            notes += await self._store.purge(user, before)
        return PurgeReport(len(users), notes)

    async def everything(
        self, user: UserId, *, progress: Callable[[int], object] = lambda notes: None
    ) -> int:
        """Remove all that a user wrote, for good; returns how many notes that were.

        From the first note on nothing of it is found; where it fails, running again does the rest.
        Notes that are stored meanwhile may stay.

        Args:
            progress: called with the number of notes just deleted.

        Raises:
            CacheUnavailable: Redis cannot be reached, and may hold answers that quote the notes.
            DatabaseUnavailable: Postgres cannot be reached.
        """
        await self._documents.forget(user)  # first: no worker makes a note of one from then on
        for note_id in (await self._store.stored_notes(user)).notes:
            await self._store.delete(user, note_id)
            progress(1)
        await self._answers.forget(user)
        await self._embeddings.forget(user)
        await self._sessions.forget(user)
        await self._imports.forget(user)
        await self._feedback.forget(user)
        return await self._store.purge(user, _EVER)
