"""Sessions in this process: the fake of those in Redis, and what there is without one."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from rag_core.clock import Clock
from rag_core.conversation.sessions import MOST_SESSIONS, Session, Turn
from rag_core.domain.user import UserId


class MemorySessions:
    """SessionStore in a dictionary.

    Args:
        most_turns: of a session.
        ttl_s: seconds for which a session that is not used is kept.
    """

    shared = False

    def __init__(self, *, clock: Clock, most_turns: int, ttl_s: float) -> None:
        self._clock, self._most_turns, self._ttl_s = clock, most_turns, ttl_s
        self._kept: dict[tuple[UserId, str], Session] = {}

    async def begin(self, user: UserId, session_id: str) -> None:
        """See `SessionStore`."""
        self._kept[user, session_id] = Session(session_id, self._clock.now())
        for old in (await self.sessions(user))[MOST_SESSIONS:]:
            del self._kept[user, old.id]

    async def read(self, user: UserId, session_id: str) -> Session | None:
        """See `SessionStore`."""
        await asyncio.sleep(0)
        kept = self._kept.get((user, session_id))
        if kept and kept.used_at <= self._clock.now() - self._ttl_s:
            del self._kept[user, session_id]
            return None
        return kept

    async def append(self, user: UserId, session_id: str, turn: Turn) -> bool:
        """See `SessionStore`."""
        if (kept := await self.read(user, session_id)) is None:
            return False
        turns = (*kept.turns, turn)[-self._most_turns :]
        self._kept[user, session_id] = Session(session_id, self._clock.now(), turns)
        return True

    async def drop(self, user: UserId, session_id: str, turns: tuple[Turn, ...]) -> None:
        """See `SessionStore`."""
        if kept := await self.read(user, session_id):
            left = tuple(turn for turn in kept.turns if turn not in turns)
            self._kept[user, session_id] = replace(kept, turns=left)

    async def reset(self, user: UserId, session_id: str) -> bool:
        """See `SessionStore`."""
        if await self.read(user, session_id) is None:
            return False
        self._kept[user, session_id] = Session(session_id, self._clock.now())
        return True

    async def delete(self, user: UserId, session_id: str) -> bool:
        """See `SessionStore`."""
        if await self.read(user, session_id) is None:
            return False
        del self._kept[user, session_id]
        return True

    async def sessions(self, user: UserId) -> list[Session]:
        """See `SessionStore`."""
        ids = [session_id for owner, session_id in self._kept if owner == user]
        kept = [await self.read(user, session_id) for session_id in ids]
        return sorted(filter(None, kept), key=lambda each: (-each.used_at, each.id))

    async def forget(self, user: UserId) -> None:
        """See `SessionStore`."""
        await asyncio.sleep(0)
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] != user}
