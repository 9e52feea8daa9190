"""The ledger of one process, for itself alone; and a cost book for tests."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, date, datetime

from rag_core.budget.ledger import (
    Admission,
    BookTotals,
    Call,
    CallState,
    Hold,
    Sums,
    Verdict,
    as_held,
)
from rag_core.budget.money import Caps, Nano
from rag_core.clock import Clock
from rag_core.domain.user import UserId

_BATCH = 100
_BOOKING_S = 5.0


@dataclass(frozen=True, slots=True)
class _Known:
    """A call as far as it is known, held at `nano_usd` until `until` or booked by then."""

    state: CallState
    call: Call
    expected_nano: Nano
    until: float

    def sums(self) -> Sums:
        """What the call adds to a day's sums."""
        nano_usd = self.call.spent.nano_usd
        if self.state == CallState.HELD:
            return Sums(0, nano_usd, self.expected_nano)
        return Sums(nano_usd)


@dataclass(slots=True)
class _Day:
    """A day's calls, and their sums, kept as the calls change: a hold is as quick at its end."""

    calls: dict[str, _Known] = field(default_factory=dict)
    held: dict[str, _Known] = field(default_factory=dict)
    closing: str = ""
    ready: str = ""
    opens_at: float = 0.0
    granted: int = 0
    _sums: dict[UserId | None, Sums] = field(default_factory=dict)

    def sums(self, user: UserId | None) -> Sums:
        return self._sums.get(user, Sums())

    def put(self, call_id: str, known: _Known) -> None:
        self.forget(call_id)
        self.calls[call_id] = known
        if known.state == CallState.HELD:
            self.held[call_id] = known
        self._add(known, 1)

    def forget(self, call_id: str) -> None:
        self.held.pop(call_id, None)
        if known := self.calls.pop(call_id, None):
            self._add(known, -1)

    def _add(self, known: _Known, sign: int) -> None:
        spent, held, expected = astuple(known.sums())
        for user in (None, known.call.user):
            before = self.sums(user)
            self._sums[user] = Sums(
                before.spent + sign * spent,
                before.held + sign * held,
                before.expected + sign * expected,
            )


class MemoryLedgerStore:
    """LedgerStore in this process's memory, by its clock.

    Args:
        closed_s: for how long a day that was lost is closed; None: for the lifetime of a hold.
    """

    def __init__(self, *, ttl_s: float, clock: Clock, closed_s: float | None = None) -> None:
        self._ttl_s, self._clock = ttl_s, clock
        self._closed_s = ttl_s if closed_s is None else closed_s
        self._days: dict[date, _Day] = {}
        self._closings = 0

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        """See `LedgerStore`."""
        today = self._today()
        if hold.day != today:
            return Admission("day", day=today)
        day, now = self._day(today), self._clock.now()
        self._reclaim(day)
        if day.ready != day.closing:
            return Admission("closed", closing=day.closing, closed_s=max(0.0, day.opens_at - now))
        known = day.calls.get(hold.call_id)
        if known and known.state > CallState.HELD:
            return Admission("taken")
        verdict = "admitted" if known else _verdict(day, hold, caps)
        if verdict == "admitted" and not known:
            call = as_held(hold.user, hold.call_id, today, hold.nano_usd)
            until = now + self._ttl_s
            day.put(hold.call_id, _Known(CallState.HELD, call, hold.expected_nano, until))
        granted = ask and day.granted < caps.processes
        day.granted += granted
        return Admission(verdict, day.sums(hold.user), day.sums(None), granted=granted)

    async def release(self, hold: Hold) -> None:
        """See `LedgerStore`."""
        day = self._days.get(hold.day, _Day())
        if hold.call_id in day.held:
            day.forget(hold.call_id)

    async def record(self, calls: Collection[Call], *, booked: bool) -> None:
        """See `LedgerStore`."""
        for call in calls:
            if booked:
                state = CallState.GUESSED if call.guessed else CallState.BOOKED
            else:
                state = CallState.RECLAIMED if call.guessed else CallState.SETTLED
            self._rise(self._days.setdefault(call.day, _Day()), call, state, _BOOKING_S)

    async def due(self, day: date) -> Sequence[Call]:
        """See `LedgerStore`."""
        ledger, now = self._days.get(day, _Day()), self._clock.now()
        self._reclaim(ledger)
        unbooked = (CallState.RECLAIMED, CallState.SETTLED)
        known = ledger.calls.values()
        return [k.call for k in known if k.state in unbooked and k.until <= now][:_BATCH]

    async def open(self, day: date, closing: str, *, grants: bool) -> bool:
        """See `LedgerStore`."""
        ledger = self._days.get(day, _Day())
        if ledger.closing != closing:
            return False
        if ledger.ready != closing:
            ledger.ready, ledger.granted = closing, 0 if grants else 2**31
        return True

    async def give_back(self, day: date) -> None:
        """See `LedgerStore`."""
        ledger = self._days.get(day, _Day())
        ledger.granted = max(0, ledger.granted - 1)

    async def sums(self, day: date, users: Sequence[UserId | None]) -> Sequence[Sums]:
        """See `LedgerStore`."""
        return [self._days.get(day, _Day()).sums(user) for user in users]

    def lose(self) -> None:
        """Forget everything, as a server does that is started again."""
        self._days.clear()

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock.now(), UTC).date()

    def _day(self, today: date) -> _Day:
        """The day's ledger, closed when it was not there."""
        day = self._days.setdefault(today, _Day())
        if not day.closing:
            self._closings += 1
            day.closing, day.opens_at = f"{self._closings}", self._clock.now() + self._closed_s
        return day

    def _reclaim(self, day: _Day) -> None:
        for known in list(day.held.values()):
            if known.until <= self._clock.now():
                self._rise(day, known.call, CallState.RECLAIMED, 0)

    def _rise(self, day: _Day, call: Call, state: CallState, booking_s: float) -> None:
        known = day.calls.get(call.call_id)
        if known is None or known.state < state:
            until = self._clock.now() + booking_s
            day.put(call.call_id, _Known(state, call, 0, until))


def _verdict(day: _Day, hold: Hold, caps: Caps) -> Verdict:
    verdict: Verdict = "admitted"
    scopes: tuple[tuple[Verdict, Sums, Nano], ...] = (
        ("user", day.sums(hold.user), caps.user_in_ledger),
        ("all", day.sums(None), caps.all_in_ledger),
    )
    for scope, sums, most in scopes:
        if sums.spent + sums.expected + hold.expected_nano > most:
            return scope
        if sums.spent + sums.held + hold.nano_usd > most:
            verdict = "soon"
    return verdict


class MemoryCostBook:
    """CostBook in memory."""

    def __init__(self) -> None:
        self._calls: dict[tuple[UserId, str], Call] = {}
        self._days: set[date] = set()

    async def book(self, calls: Sequence[Call]) -> Sequence[Call]:
        """See `CostBook`."""
        for call in calls:
            before = self._calls.get((call.user, call.call_id))
            if before is None or (before.guessed and not call.guessed):
                day = before.day if before else call.day
                self._calls[call.user, call.call_id] = replace(call, day=day)
        return [self._calls[call.user, call.call_id] for call in calls]

    async def first_opening(self, day: date) -> bool:
        """See `CostBook`."""
        first = day not in self._days
        self._days.add(day)
        return first

    async def totals(self, day: date, user: UserId | None = None) -> BookTotals:
        """See `CostBook`."""
        costs = [c.spent.nano_usd for c in await self.calls(day) if user in (None, c.user)]
        return BookTotals(len(costs), sum(costs))

    async def calls(self, day: date) -> Sequence[Call]:
        """See `CostBook`."""
        return [call for call in self._calls.values() if call.day == day]
