"""What all pipelines of a process stand on: connections, stores, models and one ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Self

from rag_core.adapters.postgres.database import Database
from rag_core.bootstrap.budget import open_spending
from rag_core.bootstrap.caches import CacheStores
from rag_core.budget.ledger import DayBudget
from rag_core.budget.spending import Spending
from rag_core.cache.epochs import ReadEpochs
from rag_core.clock import Clock
from rag_core.domain.chunks import Chunker
from rag_core.domain.completion import Generator
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId
from rag_core.events import Listener
from rag_core.settings import Settings
from rag_core.throttle.concurrency import Concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """Shared by every pipeline of a process."""

    tokenizer: Tokenizer
    embedder: Embedder
    chunker: Chunker
    database: Database
    reading: ReadEpochs
    stores: CacheStores
    purse: Purse
    clock: Clock
    places: Concurrency
    listener: Listener
    marker: str
    """In the system rules, 16 hex digits; another one in every process."""
    generator: Generator | None = None
    """Writes all answers alone, without guard or ladder."""
    providers: Sequence[Generator] | None = None
    """In place of those that the settings name."""


@dataclass(slots=True)
class Purse:
    """Opens what paid calls ask when the first pipeline wants it: a process has one ledger."""

    settings: Settings
    database: Database
    redis_url: str | None
    clock: Clock
    listener: Listener
    _spending: Spending | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def open(self) -> Spending:
        """The process's own; open until the purse's block ends."""
        async with self._turn:
            if self._spending is None:
                self._spending = await self._stack.enter_async_context(
                    open_spending(
                        self.settings, self.database, self.redis_url, self.clock, self.listener
                    )
                )
        return self._spending

    async def day_budget(self, user: UserId) -> DayBudget | None:
        """Where the user stands today; None where nothing that is asked costs anything.

        Raises:
            DatabaseUnavailable: nobody can say what is booked.
        """
        return await self._spending.day_budget(user) if self._spending else None
