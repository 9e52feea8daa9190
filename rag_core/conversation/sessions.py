"""Sessions: what a user asked in a conversation, and what the answers rested on."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from rag_core.domain.user import UserId

MOST_SESSIONS = 100
"""Sessions of one user; of more, those that were used longest ago go. Chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One question of a session, and the notes that its answer rests on.

    It holds the user's own words and ids of notes, and no word of a note: the answer itself is the
    answer cache's, under the answer cache's rules.
    """

    asked: str
    """As it was typed."""
    question: str
    """As it was answered: one that needs nothing that was said before."""
    asked_at: float
    """Seconds since the Unix epoch."""
    notes: tuple[str, ...] = ()
    """Ids of the notes that its answer cites, and of those that what it follows on rests on."""


@dataclass(frozen=True, slots=True)
class Session:
    """A conversation as it is kept: its last turns, the oldest first."""

    id: str
    used_at: float
    """Seconds since the Unix epoch."""
    turns: tuple[Turn, ...] = ()


class SessionStore(Protocol):
    """Sessions of many users; every method is bound to one of them.

    A session that nobody has used for its lifetime is gone, and so are all but its last turns.
    Every method raises CacheUnavailable where the store does not answer in time.
    """

    shared: bool
    """Whether other processes see it, and so those to come."""

    async def begin(self, user: UserId, session_id: str) -> None:
        """A session without turns, of an id that `new_id` made."""
        ...

    async def read(self, user: UserId, session_id: str) -> Session | None:
        """The user's session of that id."""
        ...

    async def append(self, user: UserId, session_id: str, turn: Turn) -> bool:
        """Add a turn; false, and nothing is kept, where there is no such session (any more)."""
        ...

    async def drop(self, user: UserId, session_id: str, turns: tuple[Turn, ...]) -> None:
        """Remove these turns and leave the others."""
        ...

    async def reset(self, user: UserId, session_id: str) -> bool:
        """Remove all turns; false where there is no such session."""
        ...

    async def delete(self, user: UserId, session_id: str) -> bool:
        """Remove a session; false where there is none."""
        ...

    async def sessions(self, user: UserId) -> list[Session]:
        """The user's sessions, the one last used first."""
        ...

    async def forget(self, user: UserId) -> None:
        """Remove every session of the user."""
        ...


def new_id() -> str:
    """An id that nobody guesses: 128 random bits as 22 characters."""
    return secrets.token_urlsafe(16)
