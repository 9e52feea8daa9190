"""Who is answered by which pipeline, changed while the process runs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from rag_core.bootstrap.canary import Canary
from rag_core.bootstrap.foundation import Foundation
from rag_core.bootstrap.wired_pipeline import WiredPipeline, open_pipeline
from rag_core.domain.answer import Answer
from rag_core.domain.options import AS_CONFIGURED, Options
from rag_core.domain.user import UserId
from rag_core.providers.choices import Choices
from rag_core.recall import Recall
from rag_core.settings import Settings
from rag_core.settings_canary import canary_of

_LOG = logging.getLogger(__name__)


class Answering(Protocol):
    """What answers a user; see `Pipeline`."""

    async def answer(self, question: str, user: UserId) -> Answer:
        """The whole answer."""
        ...

    def stream(self, question: str, user: UserId) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the text, then the whole answer."""
        ...


class Rollout:
    """The stable pipeline, and beside it perhaps a canary over the same stores.

    What is under way when the canary changes ends on the pipeline that it began on.
    """

    def __init__(self, stable: WiredPipeline, ground: Foundation) -> None:
        self.stable = stable
        self.canary: Canary | None = None
        self._ground = ground
        self._retiring: dict[asyncio.Task[None], Canary] = {}
        self._turn = asyncio.Lock()

    def answering(self, user: UserId, options: Options = AS_CONFIGURED) -> Answering:
        """What answers the user, as `options` say; to be asked at once, as it may be closed.

        Raises:
            InvalidInput: something was chosen that may not be.
        """
        if self.canary and self.canary.has(user):
            return self.canary.answering(options)
        return self.stable.chosen(options)

    def choices(self, user: UserId) -> Choices:
        """What the user may say of how an answer is written."""
        return self._wired_for(user).choices

    def recall(self, user: UserId) -> Recall:
        """The answers that the user was given, as far as they stand; to be asked at once."""
        return self._wired_for(user).recall

    def _wired_for(self, user: UserId) -> WiredPipeline:
        return self.canary.wired if self.canary and self.canary.has(user) else self.stable

    async def change(self, settings: Settings) -> None:
        """Have the canary that `settings` name from now on; nothing else of them counts.

        Raises:
            ConfigurationError: its settings cannot be used; all stays as it was.
        """
        async with self._turn:
            old, self.canary = self.canary, await self._named_by(settings)
            if old:
                self._retire(old)

    async def aclose(self) -> None:
        """Close all canaries, whoever uses them."""
        canaries = [*self._retiring.values(), *([self.canary] if self.canary else [])]
        for task in list(self._retiring):
            task.cancel()
        for canary in canaries:
            await canary.aclose()

    async def _named_by(self, settings: Settings) -> Canary | None:
        percent, changes = settings.canary_percent, settings.canary_settings
        wanted = canary_of(self.stable.settings, changes)
        if not (percent and changes):
            _LOG.info("no canary: all users are answered by the stable pipeline")
            return None
        canary = await Canary.open(percent, wanted, self._ground)
        _LOG.warning("canary: %g %% of users are answered with %s", percent, changes)
        return canary

    def _retire(self, canary: Canary) -> None:
        task = asyncio.create_task(canary.retire())
        self._retiring[task] = canary
        task.add_done_callback(self._retiring.pop)


@asynccontextmanager
async def open_rollout(settings: Settings, ground: Foundation) -> AsyncIterator[Rollout]:
    """The stable pipeline of `settings`, and their canary.

    Raises:
        ConfigurationError: a setting of either cannot be used.
    """
    async with open_pipeline(settings, ground, "stable") as stable:
        rollout = Rollout(stable, ground)
        try:
            await rollout.change(settings)
            yield rollout
        finally:
            await rollout.aclose()
