"""A canary: a pipeline by other settings, for some of the users."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass

from rag_core.bootstrap.foundation import Foundation
from rag_core.bootstrap.wired_pipeline import WiredPipeline, open_pipeline
from rag_core.domain.answer import Answer
from rag_core.domain.options import AS_CONFIGURED, Options
from rag_core.domain.user import UserId
from rag_core.pipeline import Pipeline
from rag_core.settings import Settings


def in_canary(user: UserId, percent: float) -> bool:
    """Whether a user is one of `percent` percent of all.

    The same users always are, by a hash of their id, and those of a smaller percentage are among
    those of a larger one.
    """
    digest = hashlib.sha256(f"canary:{user}".encode()).digest()
    return int.from_bytes(digest[:8]) < percent / 100 * 2**64


class Canary:
    """Answers as its pipeline does, and is closed when the last request on it has ended.

    Args:
        percent: of all users, by a hash of their id.
        opened: what the pipeline has open.
    """

    def __init__(self, percent: float, wired: WiredPipeline, opened: AsyncExitStack) -> None:
        self.wired = wired
        self._percent, self._opened = percent, opened
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    async def open(cls, percent: float, settings: Settings, ground: Foundation) -> Canary:
        """A canary for `percent` percent of the users; whoever opens it closes it.

        Raises:
            ConfigurationError: a setting cannot be used.
        """
        async with AsyncExitStack() as stack:
            wired = await stack.enter_async_context(open_pipeline(settings, ground, "canary"))
            return cls(percent, wired, stack.pop_all())

    def has(self, user: UserId) -> bool:
        """Whether the user is answered by it."""
        return in_canary(user, self._percent)

    def answering(self, options: Options = AS_CONFIGURED) -> OnCanary:
        """What answers as `options` say.

        Raises:
            InvalidInput: something was chosen that may not be.
        """
        return OnCanary(self, self.wired.chosen(options))

    async def retire(self) -> None:
        """Close it once nobody uses it any more; it must not be given to anyone from now on."""
        await self._idle.wait()
        await self.aclose()

    async def aclose(self) -> None:
        """Close it, whoever uses it."""
        await self._opened.aclose()

    @contextmanager
    def used(self) -> Iterator[None]:
        """It is not closed while the block runs."""
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()


@dataclass(frozen=True, slots=True)
class OnCanary:
    """Answers by a canary's pipeline, or by that as a question chose."""

    canary: Canary
    pipeline: Pipeline

    async def answer(self, question: str, user: UserId) -> Answer:
        """See `Pipeline`."""
        with self.canary.used():
            return await self.pipeline.answer(question, user)

    async def stream(self, question: str, user: UserId) -> AsyncGenerator[str | Answer, None]:
        """See `Pipeline`."""
        with self.canary.used():
            async with aclosing(self.pipeline.stream(question, user)) as pieces:
                async for piece in pieces:
                    yield piece
