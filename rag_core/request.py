"""One request on its way through the pipeline: its id, its limits and its timings."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TypeVar

from msgspec.structs import replace

from rag_core.clock import Clock
from rag_core.correlation import PRIVATE_TEXT, REQUEST_ID
from rag_core.domain.answer import Answer
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import DeadlineExceeded
from rag_core.events import Answered, Listener, QueryFailed, StepFinished
from rag_core.guard.deadline import CURRENT_DEADLINE, Deadline, seconds_left
from rag_core.guard.time_budget import CURRENT_BUDGET, TimeBudget

T = TypeVar("T")
Finished = Callable[[str, float, str], None]
"""Takes a step's name, its milliseconds, and the class of what it raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a request may take, and all of its Redis work but keeping an answer, in seconds."""

    request_s: float = 30.0
    redis_s: float = 0.05


class Requests:
    """Begins requests, all with the same limits, clock and listener."""

    def __init__(self, *, limits: Limits, clock: Clock, listener: Listener) -> None:
        self._limits, self._clock, self._listener = limits, clock, listener

    def begin(self, user: str | None, question: str) -> Request:
        """A request of `user`, whose time runs from now; its id is the one that is bound, if any.

        No log line will hold the question.

        Raises:
            Unauthenticated: no user.
        """
        PRIVATE_TEXT.set(question)
        return Request(
            authenticated(user), limits=self._limits, clock=self._clock, listener=self._listener
        )


class Request:
    """Who asks, until when, what Redis may take of it, and how long each step took."""

    def __init__(self, user: UserId, *, limits: Limits, clock: Clock, listener: Listener) -> None:
        self.user = user
        self.id = REQUEST_ID.get() or secrets.token_hex(8)
        self.deadline = Deadline(seconds_left(limits.request_s), clock)
        self.listener = listener
        self._redis = CURRENT_BUDGET.get() or TimeBudget(limits.redis_s)
        self._redis_s = limits.redis_s
        self._clock = clock
        self._started = clock.monotonic()
        self._steps_ms: dict[str, float] = {}
        self._answered = False

    def bound(self) -> Bound:
        """Bind what is called within the block, and tasks begun there, to this request.

        Never hold it over a `yield`: what runs meanwhile is somebody else's.
        """
        return Bound(self.id, self.deadline, self._redis)

    def __enter__(self) -> Request:
        """Within the block it is answered; where it is not, that is told."""
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        if kind is not None and not self._answered:
            with self.bound():
                self.listener(QueryFailed(name_of(kind), self.elapsed_ms()))

    def keeping(self) -> AbstractContextManager[None]:
        """Within the block Redis may take as much time again as it may for everything before.

        An answer that was paid for is not lost because looking for it took long: on a busy machine
        what takes long is mostly this process, and what is not kept makes it busier.
        """
        return TimeBudget(self._redis_s).applied()

    def step(self, name: str) -> Step:
        """Time the block as a step."""
        return Step(name, self._clock, self._finished)

    async def in_time(self, awaited: Awaitable[T]) -> T:
        """What is awaited.

        Raises:
            DeadlineExceeded: it takes longer than the request may.
        """
        try:
            async with asyncio.timeout(self.deadline.left_s()):
                return await awaited
        except TimeoutError as error:
            raise DeadlineExceeded("the question was not answered in time", "Try again") from error

    def elapsed_ms(self) -> float:
        """Milliseconds since the request began."""
        return (self._clock.monotonic() - self._started) * 1000

    def finish(self, answer: Answer) -> Answer:
        """The answer with the timings of this request, which ends here; called within `bound`."""
        self._answered, total_ms = True, self.elapsed_ms()
        given = replace(answer, timings_ms={**self._steps_ms, "total": total_ms})
        self.listener(
            Answered(
                given.provenance,
                given.generator,
                given.model,
                given.usage,
                given.cost_usd,
                total_ms,
                given.flags,
            )
        )
        return given

    def _finished(self, name: str, elapsed_ms: float, error: str) -> None:
        self._steps_ms[name] = elapsed_ms
        self.listener(StepFinished(name, elapsed_ms, error))


def name_of(error: type[BaseException]) -> str:
    """What events call an error: its class, and `cancelled` where nobody waits any more."""
    gone = issubclass(error, asyncio.CancelledError | GeneratorExit)
    return "cancelled" if gone else error.__name__


class Bound:
    """Sets a request's id, deadline and time budget for a block; written out, as it is in the way
    of every answer several times (a generator-based one takes ten times as long)."""

    __slots__ = ("_budget", "_deadline", "_id", "_tokens")

    def __init__(self, request_id: str, deadline: Deadline, budget: TimeBudget) -> None:
        self._id, self._deadline, self._budget = request_id, deadline, budget

    def __enter__(self) -> None:
        self._tokens = (
            REQUEST_ID.set(self._id),
            CURRENT_DEADLINE.set(self._deadline),
            CURRENT_BUDGET.set(self._budget),
        )

    def __exit__(self, *error: object) -> None:
        request_id, deadline, budget = self._tokens
        REQUEST_ID.reset(request_id)
        CURRENT_DEADLINE.reset(deadline)
        CURRENT_BUDGET.reset(budget)


class Step:
    """Times a block."""

    __slots__ = ("_began", "_clock", "_finished", "_name")

    def __init__(self, name: str, clock: Clock, finished: Finished) -> None:
        self._name, self._clock, self._finished = name, clock, finished

    def __enter__(self) -> None:
        self._began = self._clock.monotonic()

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        elapsed_ms = (self._clock.monotonic() - self._began) * 1000
        self._finished(self._name, elapsed_ms, name_of(kind) if kind else "")
