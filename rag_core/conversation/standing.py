"""Which turns stand: those all of whose notes are there."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from rag_core.conversation.sessions import Session, SessionStore
from rag_core.domain.note_store import NoteStore
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable


async def standing(
    store: SessionStore, notes: NoteStore, user: UserId, sessions: list[Session]
) -> list[Session]:
    """The user's sessions without the turns that rest on a note that is gone.

    Those are removed from the store, too; where it fails they are removed when next they are read.

    Raises:
        DatabaseUnavailable: nobody can say which notes are there.
    """
    wanted = {note for each in sessions for turn in each.turns for note in turn.notes}
    if not wanted:
        return sessions
    live = (await notes.stored_notes(user, sorted(wanted))).notes.keys()
    left = []
    for session in sessions:
        fallen = tuple(turn for turn in session.turns if not live >= set(turn.notes))
        if fallen:
            with suppress(CacheUnavailable):
                await store.drop(user, session.id, fallen)
        turns = tuple(turn for turn in session.turns if turn not in fallen)
        left.append(replace(session, turns=turns))
    return left
