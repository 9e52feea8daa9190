"""Ledgers to test: servers that can be away or lost, and a day that no other test has."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from rag_core.adapters.memory import MemoryCostBook, MemoryLedgerStore
from rag_core.adapters.redis import RedisClient, RedisLedgerStore
from rag_core.budget import (
    Admission,
    BookTotals,
    Call,
    Caps,
    CostBook,
    DailyLedger,
    Hold,
    LedgerStore,
    Spent,
    Sums,
)
from rag_core.clock import ManualClock
from rag_core.domain import Usage, UserId
from rag_core.errors import CacheUnavailable, DatabaseUnavailable

T = TypeVar("T")

KEYS = ("day", "holds", "unbooked")
TTL_S = 45.0
RUTH, BOAZ, NAOMI = UserId("ruth"), UserId("boaz"), UserId("naomi")
CAPS = Caps(user=1_000, all=2_000, allowance=100, processes=2)
"""Of which the ledger gives out 900 a user and 1,800 to all: the rest is for allowances."""


def noon_of_a_day() -> ManualClock:
    """Noon of a day that no other test has: they share servers."""
    return ManualClock(86_400.0 * random.SystemRandom().randrange(40_000, 2_000_000) + 43_200)


def spent(nano_usd: int) -> Spent:
    return Spent("groq", "llama", Usage(nano_usd, 1), nano_usd)


class AwayStore:
    """A store that can be cut off: each call fails before it is made, or after."""

    def __init__(self, store: LedgerStore) -> None:
        self.store = store
        self.away = False
        self.reply_lost = False

    async def _asked(self, call: Callable[[], Awaitable[T]]) -> T:
        if self.away:
            raise CacheUnavailable("away")
        reply = await call()
        if self.reply_lost:
            raise CacheUnavailable("the reply was lost")
        return reply

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        return await self._asked(lambda: self.store.hold(hold, caps, ask=ask))

    async def release(self, hold: Hold) -> None:
        return await self._asked(lambda: self.store.release(hold))

    async def record(self, calls: Collection[Call], *, booked: bool) -> None:
        return await self._asked(lambda: self.store.record(calls, booked=booked))

    async def due(self, day: date) -> Sequence[Call]:
        return await self._asked(lambda: self.store.due(day))

    async def open(self, day: date, closing: str, *, grants: bool) -> bool:
        return await self._asked(lambda: self.store.open(day, closing, grants=grants))

    async def give_back(self, day: date) -> None:
        return await self._asked(lambda: self.store.give_back(day))

    async def sums(self, day: date, users: Sequence[UserId | None]) -> Sequence[Sums]:
        return await self._asked(lambda: self.store.sums(day, users))


class AwayBook:
    """A cost book that can be cut off."""

    def __init__(self, book: CostBook) -> None:
        self.kept = book
        self.away = False

    def _must_be_there(self) -> None:
        if self.away:
            raise DatabaseUnavailable("away")

    async def book(self, calls: Sequence[Call]) -> Sequence[Call]:
        self._must_be_there()
        return await self.kept.book(calls)

    async def first_opening(self, day: date) -> bool:
        self._must_be_there()
        return await self.kept.first_opening(day)

    async def totals(self, day: date, user: UserId | None = None) -> BookTotals:
        self._must_be_there()
        return await self.kept.totals(day, user)

    async def calls(self, day: date) -> Sequence[Call]:
        self._must_be_there()
        return await self.kept.calls(day)


@dataclass
class World:
    """What processes share: a store, a cost book, and the time."""

    store: LedgerStore
    lose: Callable[[], Awaitable[None]]
    """Everything that the store holds of today is gone."""
    clock: ManualClock
    costs: CostBook = field(default_factory=MemoryCostBook)
    caps: Caps = CAPS

    def process(self, clock: ManualClock | None = None) -> Process:
        """A new process with a ledger of its own."""
        return Process(self, clock or self.clock)

    @property
    def today(self) -> date:
        return self.process().ledger.today()

    async def sums(self, user: UserId | None = None) -> Sums:
        (sums,) = await self.store.sums(self.today, (user,))
        return sums

    async def booked(self, user: UserId | None = None) -> int:
        return (await self.costs.totals(self.today, user)).nano_usd


class Process:
    """One process: its ledger, and its ways to the servers."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.store, self.costs = AwayStore(world.store), AwayBook(world.costs)
        self.ledger = DailyLedger(self.store, self.costs, world.caps, clock=clock)


def memory_world(clock: ManualClock | None = None) -> World:
    """A world in memory."""
    clock = clock or noon_of_a_day()
    store = MemoryLedgerStore(ttl_s=TTL_S, clock=clock)

    async def lose() -> None:
        store.lose()

    return World(store, lose, clock)


def redis_world(client: RedisClient, clock: ManualClock | None = None) -> World:
    """A world on a Redis that others use, too."""
    clock = clock or noon_of_a_day()
    store = RedisLedgerStore(client, ttl_s=TTL_S, timeout_s=30.0, clock=clock)

    async def lose() -> None:
        day = date.fromordinal(date(1970, 1, 1).toordinal() + int(clock.now() // 86_400))
        await client.execute("UNLINK", *(f"rag:{{ledger:{day}}}:{k}" for k in KEYS))

    return World(store, lose, clock)
