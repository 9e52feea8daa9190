"""The ledger: a store that all processes share, a cost book that is the truth, and an allowance.

`docs/decisions/money-held-before-it-is-spent.md` proves what this keeps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from rag_core.budget.allowance import Allowance
from rag_core.budget.ledger import (
    Admission,
    Call,
    CostBook,
    DayBudget,
    Hold,
    LedgerStore,
    Spent,
    Sums,
)
from rag_core.budget.money import Caps, Nano
from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.errors import BudgetExhausted, CacheUnavailable, DatabaseUnavailable
from rag_core.events import BudgetUsed, Listener, ignore

MAX_PENDING = 1_000
"""Settled calls that a process keeps until they are booked; with so many it makes no more."""

_PAUSES_S = (0.1, 0.3, 0.6)
"""Waits for calls under way that would leave enough of the budget if they cost as expected."""

_BATCHES = 20
"""Of 100 calls, that one sweep books of a day at most."""

_SECONDS_A_DAY = 86_400
_LOG = logging.getLogger(__name__)


class _DaySums(NamedTuple):
    """What the store and the book said at the last sweep."""

    spent: Nano
    booked: Nano


class DailyLedger:
    """Ledger over a store and a cost book, either of which may be away."""

    def __init__(
        self,
        store: LedgerStore,
        costs: CostBook,
        caps: Caps,
        *,
        clock: Clock,
        listener: Listener = ignore,
    ) -> None:
        self._store, self._costs, self._caps, self._clock = store, costs, caps, clock
        self._listener = listener
        self._allowance = Allowance(caps)
        self._unbooked: dict[tuple[UserId, str], Call] = {}
        self._unreleased: dict[tuple[UserId, str], Hold] = {}
        self._sums_before: dict[date, _DaySums] = {}
        self._seen_days: set[date] = set()
        self._opening = asyncio.Lock()
        self._opened_last = ""

    async def hold(
        self, user: UserId, call_id: str, nano_usd: Nano, expected_nano: Nano | None = None
    ) -> Hold:
        """See `Ledger`."""
        if len(self._unbooked) + len(self._unreleased) >= MAX_PENDING:
            raise BudgetExhausted("process", retry_after_s=60)
        expected = nano_usd if expected_nano is None else min(expected_nano, nano_usd)
        hold = Hold(user, call_id, self.today(), nano_usd, expected)
        try:
            return await self._held(hold)
        except CacheUnavailable:
            return self._allowed(hold)
        except asyncio.CancelledError:  # it may have been placed
            self._unreleased[user, call_id] = hold
            raise

    async def _held(self, hold: Hold) -> Hold:
        """The hold in the store, as soon as it fits."""
        pauses = iter(_PAUSES_S)
        while True:
            hold, admission = await self._asked(hold)
            if admission.granted:
                self._allowance.grant(hold.day)
            if admission.verdict == "admitted":
                self._unreleased.pop((hold.user, hold.call_id), None)
                return hold
            self._must_not_be_final(hold, admission)
            if admission.verdict == "closed" and await self._opened(hold.day, admission):
                continue
            pause_s = next(pauses, None)
            if pause_s is None:
                raise BudgetExhausted("all", retry_after_s=1.0)
            await self._clock.sleep(pause_s)

    async def _asked(self, hold: Hold) -> tuple[Hold, Admission]:
        """The store's reply, and the hold in the day that it is by the store's clock."""
        while True:
            ask = not self._allowance.granted(hold.day)
            admission = await self._store.hold(hold, self._caps, ask=ask)
            if admission.day is None:
                return hold, admission
            hold = replace(hold, day=admission.day)

    def _must_not_be_final(self, hold: Hold, admission: Admission) -> None:
        """Raise what waiting a moment does not change."""
        if admission.verdict in ("user", "all"):
            raise BudgetExhausted(admission.verdict, retry_after_s=self._until_tomorrow())
        if admission.verdict == "taken":
            raise ValueError(f"a call {hold.call_id!r} was settled before: each needs its own id")
        if admission.verdict == "closed" and admission.closed_s > 0 and self._is_lost(hold.day):
            raise CacheUnavailable("the day's ledger is closed: its sums may not be whole")

    def _is_lost(self, day: date) -> bool:
        """Whether this process knows that the day had been opened before it was closed."""
        return day in self._seen_days

    def _allowed(self, hold: Hold) -> Hold:
        """The hold as part of this process's allowance."""
        try:
            self._allowance.take(hold)
        except BudgetExhausted:
            self._unreleased[hold.user, hold.call_id] = hold  # it may have been placed
            raise
        return replace(hold, allowed=True)

    async def _opened(self, day: date, admission: Admission) -> bool:
        """Open a day that never was open; one that was, after the longest hold and a recount."""
        if self._opening.locked():
            return False
        async with self._opening:
            if admission.closing == self._opened_last:
                return True
            try:
                opened = await self._open(day, admission)
            except DatabaseUnavailable as error:
                raise CacheUnavailable("the day's ledger cannot be opened") from error
            if opened:
                self._opened_last = admission.closing
            return opened

    async def _open(self, day: date, admission: Admission) -> bool:
        if day not in self._seen_days:
            first = await self._costs.first_opening(day)
            self._seen_days.add(day)
            if first:
                return await self._store.open(day, admission.closing, grants=True)
        if admission.closed_s > 0:
            return False
        await self._store.record(await self._costs.calls(day), booked=True)
        return await self._store.open(day, admission.closing, grants=False)

    async def settle(self, hold: Hold, spent: Spent) -> None:
        """See `Ledger`."""
        call = Call(hold.user, hold.call_id, hold.day, spent)
        if hold.allowed:
            self._allowance.settle(hold, spent.nano_usd)
        self._unbooked[hold.user, hold.call_id] = call
        await self.book([call])

    async def release(self, hold: Hold) -> None:
        """See `Ledger`; where the store is away it is told later, if the hold lasts so long."""
        if hold.allowed:
            return self._allowance.settle(hold, 0)
        self._unreleased[hold.user, hold.call_id] = hold
        try:
            await self._store.release(hold)
        except CacheUnavailable as error:
            return _LOG.warning("a hold could not be given back yet: %s", error)
        self._unreleased.pop((hold.user, hold.call_id), None)
        return None

    async def book(self, calls: Sequence[Call]) -> None:
        """Book the calls, and let the store know; whichever cannot be reached is told later."""
        try:
            calls, booked = await self._costs.book(calls), True
            for call in calls:
                self._unbooked.pop((call.user, call.call_id), None)
        except DatabaseUnavailable as error:
            _LOG.error("%d paid calls could not be booked yet: %s", len(calls), error)
            booked = False
        try:
            await self._store.record(calls, booked=booked)
        except CacheUnavailable as error:
            _LOG.warning("the ledger could not be told of %d calls: %s", len(calls), error)

    async def used_share(self, user: UserId) -> float:
        """See `Ledger`; 0.0 while the ledger is away, as the allowance is what limits then."""
        try:
            own, everyone = await self._store.sums(self.today(), (user, None))
        except CacheUnavailable:
            return 0.0
        shares = (own, self._caps.user_in_ledger), (everyone, self._caps.all_in_ledger)
        return max(_share(sums, cap) for sums, cap in shares)

    async def day_budget(self, user: UserId) -> DayBudget:
        """See `Ledger`; nothing is known of calls under way while the store is away."""
        today = self.today()
        booked = (await self._costs.totals(today, user)).nano_usd
        try:
            (own,) = await self._store.sums(today, (user,))
        except CacheUnavailable:
            own = Sums()
        spent, limit = max(own.spent, booked), self._caps.user_in_ledger
        return DayBudget(spent, own.held, limit, self._until_tomorrow())

    async def sweep(self) -> None:
        """Book what is not booked yet, of this process and of dead ones; mend a drift."""
        await self._flush()
        today = self.today()
        for day in (today - timedelta(2), today - timedelta(1), today):
            try:
                await self._book_due(day)
                await self._agree(day)
            except (CacheUnavailable, DatabaseUnavailable) as error:
                _LOG.warning("the ledger of %s could not be swept: %s", day, error)

    async def _flush(self) -> None:
        """Do what this process has still to tell."""
        if self._unbooked:
            await self.book(list(self._unbooked.values()))
        for hold in list(self._unreleased.values()):
            await self.release(hold)

    async def _book_due(self, day: date) -> None:
        for _ in range(_BATCHES):
            if not (due := await self._store.due(day)):
                return
            await self._store.record(await self._costs.book(due), booked=True)

    async def _agree(self, day: date) -> None:
        """Let the store know of every booked call, where their sums differ for good.

        That is where the store misses what was booked a sweep ago, or where nothing has changed
        since. Else what differs is on its way.
        """
        before = self._sums_before.get(day)
        booked = (await self._costs.totals(day)).nano_usd
        (everyone,) = await self._store.sums(day, (None,))
        if day == self.today():
            self._listener(BudgetUsed(_share(everyone, self._caps.all_in_ledger)))
        now = self._sums_before[day] = _DaySums(everyone.spent, booked)
        missing = before is not None and now.spent < before.booked
        if missing or (now == before and now.spent != now.booked):
            await self._store.record(await self._costs.calls(day), booked=True)

    async def aclose(self) -> None:
        """Tell what is left to tell, and give back an allowance that was not used."""
        await self._flush()
        if self._unbooked:
            _LOG.error("%d paid calls are not booked in Postgres", len(self._unbooked))
        try:
            for day in self._allowance.unused():
                await self._store.give_back(day)
        except CacheUnavailable:
            _LOG.warning("an unused allowance could not be given back")

    def today(self) -> date:
        """The day of UTC by this process's clock."""
        return datetime.fromtimestamp(self._clock.now(), UTC).date()

    def _until_tomorrow(self) -> float:
        return _SECONDS_A_DAY - self._clock.now() % _SECONDS_A_DAY


def _share(sums: Sums, cap: Nano) -> float:
    return (sums.spent + sums.held) / cap if cap else 1.0
