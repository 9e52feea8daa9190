"""Conversations: a question answered after what was asked before, and kept for what comes next."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from dataclasses import dataclass
from typing import Protocol

from msgspec.structs import replace

from rag_core.clock import Clock
from rag_core.conversation.resolution import Resolution, Resolver
from rag_core.conversation.sessions import Session, SessionStore, Turn, new_id
from rag_core.conversation.standing import standing
from rag_core.correlation import PRIVATE_TEXT
from rag_core.domain.answer import Answer, Flag, Provenance
from rag_core.domain.note_store import NoteStore
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable, NotFound
from rag_core.guard.deadline import Deadline
from rag_core.guard.time_budget import CURRENT_BUDGET, TimeBudget

MOST_CHARACTERS = 1_000
"""Of a question that are kept; more than the pipeline reads of one, as a rule."""


class Answering(Protocol):
    """What answers a question that stands alone; see `Pipeline`."""

    async def answer(self, question: str, user: UserId) -> Answer:
        """The whole answer."""
        ...

    def stream(self, question: str, user: UserId) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the text, then the whole answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer within a session."""

    session_id: str
    asked: str
    """As it was typed."""
    resolution: Resolution
    """Its `question` is the one that was answered and cached."""
    answer: Answer


class Conversations:
    """Sessions of users, read by one rule: a turn stands while all notes it rests on are there.

    Postgres says so at each reading, and turns that do not stand are removed then; as no turn holds
    a word of a note, none is left behind before.

    Args:
        request_s: seconds that a question may take, its resolution included.
        redis_s: seconds that all Redis work of a question may take.
    """

    def __init__(
        self,
        *,
        store: SessionStore,
        notes: NoteStore,
        resolver: Resolver,
        clock: Clock,
        request_s: float,
        redis_s: float,
    ) -> None:
        self._store, self._notes, self.resolver = store, notes, resolver
        self._clock, self._request_s, self._redis_s = clock, request_s, redis_s
        self.shared = store.shared
        """Whether another process can go on with a session."""

    async def begin(self, user: UserId) -> Session:
        """A new session.

        Raises:
            CacheUnavailable: Redis cannot be reached.
        """
        session = Session(new_id(), self._clock.now())
        await self._store.begin(user, session.id)
        return session

    async def read(self, user: UserId, session_id: str) -> Session:
        """The user's session, with the turns that stand.

        Raises:
            NotFound: the user has none of that id.
            CacheUnavailable, DatabaseUnavailable: it cannot be read, or not vouched for.
        """
        session = await self._store.read(user, session_id)
        if session is None:
            raise _missing()
        return (await standing(self._store, self._notes, user, [session]))[0]

    async def sessions(self, user: UserId) -> list[Session]:
        """The user's sessions, the one last used first; raises what `read` raises but NotFound."""
        return await standing(self._store, self._notes, user, await self._store.sessions(user))

    async def reset(self, user: UserId, session_id: str) -> None:
        """Forget what was asked in a session.

        Raises:
            NotFound: the user has none of that id.
            CacheUnavailable: Redis cannot be reached.
        """
        if not await self._store.reset(user, session_id):
            raise _missing()

    async def delete(self, user: UserId, session_id: str) -> None:
        """Remove a session; raises what `reset` raises."""
        if not await self._store.delete(user, session_id):
            raise _missing()

    async def answer(self, by: Answering, asked: str, user: UserId, session_id: str) -> Reply:
        """The answer to what was asked in a session.

        Raises:
            NotFound: the user has no session of that id.
            What the pipeline raises.
        """
        with self._bounds()():
            resolution, history = await self._resolved(user, session_id, asked)
            answer = await by.answer(resolution.question, user)
            return await self._kept(user, session_id, asked, resolution, answer, history)

    async def stream(
        self, by: Answering, asked: str, user: UserId, session_id: str
    ) -> AsyncGenerator[str | Reply, None]:
        """Pieces of the text as they are generated, then the Reply; raises what `answer` raises."""
        bound = self._bounds()
        with bound():
            resolution, history = await self._resolved(user, session_id, asked)
        async with aclosing(by.stream(resolution.question, user)) as pieces:
            while True:
                with bound():
                    piece = await anext(pieces)
                if isinstance(piece, Answer):
                    break
                yield piece
            with bound():
                reply = await self._kept(user, session_id, asked, resolution, piece, history)
        yield reply

    async def _resolved(self, user: UserId, session_id: str, asked: str) -> tuple[Resolution, bool]:
        """What to answer, and whether the session could be read; no log line will hold it."""
        PRIVATE_TEXT.set(asked)
        try:
            session = await self.read(user, session_id)
        except CacheUnavailable:
            return Resolution(question=asked), False
        return await self.resolver.resolve(user, asked, session.turns), True

    async def _kept(
        self,
        user: UserId,
        session_id: str,
        asked: str,
        resolution: Resolution,
        answer: Answer,
        history: bool,
    ) -> Reply:
        """The reply, kept as a turn: not of an attack, nor of a session that cannot be read."""
        if history and answer.provenance is not Provenance.REFUSED:
            cited = {citation.note_id for citation in answer.citations}
            turn = Turn(
                asked=asked[:MOST_CHARACTERS],
                question=resolution.question[:MOST_CHARACTERS],
                asked_at=self._clock.now(),
                notes=tuple(sorted(cited | set(resolution.notes))),
            )
            try:
                await self._store.append(user, session_id, turn)
            except CacheUnavailable:
                history = False
        if not history:
            answer = replace(answer, flags=(*answer.flags, Flag.HISTORY_UNAVAILABLE))
        return Reply(session_id=session_id, asked=asked, resolution=resolution, answer=answer)

    def _bounds(self) -> Callable[[], AbstractContextManager[None]]:
        """Binds blocks of one request to its deadline and to its time for Redis.

        Never over a `yield`: what runs meanwhile is somebody else's.
        """
        deadline = Deadline(self._request_s, self._clock)
        redis = CURRENT_BUDGET.get() or TimeBudget(self._redis_s)

        @contextmanager
        def bound() -> Iterator[None]:
            with deadline.applied(), redis.applied():
                yield

        return bound


def _missing() -> NotFound:
    return NotFound("session", "there is none of that id", "Begin one: POST /sessions")
