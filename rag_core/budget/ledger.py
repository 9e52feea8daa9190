"""The words of the ledger: what is held, what is settled, and who keeps account of it.

    HELD ──settle──▶ SETTLED ──booked──▶ BOOKED
      └──expired──▶ RECLAIMED ──booked──▶ GUESSED ──settled after all──▶ SETTLED

A call only ever rises through these states, whoever says so and however often. That is why settling
twice, booking twice, or hearing of a call from two sides changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from enum import IntEnum
from typing import Literal, Protocol

from rag_core.budget.money import Caps, Nano
from rag_core.domain.cost import NO_USAGE, Usage
from rag_core.domain.user import UserId

UNKNOWN = "unknown"
"""Provider and model of a call that was reclaimed: its process died, so it is booked as held."""


class CallState(IntEnum):
    """How much is known of a call in a day's ledger."""

    HELD = 1
    RECLAIMED = 2
    GUESSED = 3
    SETTLED = 4
    BOOKED = 5


@dataclass(frozen=True, slots=True)
class Spent:
    """What a call used, and what that costs."""

    provider: str
    model: str
    usage: Usage
    nano_usd: Nano


@dataclass(frozen=True, slots=True)
class Hold:
    """Money set aside for one call.

    Args:
        day: of UTC, whose budget it is held in.
        nano_usd: the most that the call can cost.
        expected_nano: what it will probably cost.
        allowed: it is part of this process's allowance; the ledger does not know of it.
    """

    user: UserId
    call_id: str
    day: date
    nano_usd: Nano
    expected_nano: Nano
    allowed: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose cost is known, or is guessed as it was held."""

    user: UserId
    call_id: str
    day: date
    spent: Spent

    @property
    def guessed(self) -> bool:
        """Whether it is booked as it was held, as nobody knows what it cost."""
        return self.spent.provider == UNKNOWN


def as_held(user: UserId, call_id: str, day: date, held: Nano) -> Call:
    """A reclaimed call: the provider may have charged it, so it costs what was held."""
    return Call(user, call_id, day, Spent(UNKNOWN, UNKNOWN, NO_USAGE, held))


@dataclass(frozen=True, slots=True)
class DayBudget:
    """Where one user stands with the day's budget, in nano-dollars.

    Args:
        spent: is booked, or settled and about to be.
        held: for calls under way, at their worst.
        limit: what is given to a user a day, without the reserve for outages; None: no limit.
        resets_in_s: seconds until midnight UTC.
    """

    spent: Nano
    held: Nano
    limit: Nano | None
    resets_in_s: float


class Ledger(Protocol):
    """Money is held before it is spent and settled after."""

    async def hold(
        self, user: UserId, call_id: str, nano_usd: Nano, expected_nano: Nano | None = None
    ) -> Hold:
        """Set the most that a call can cost aside.

        Args:
            call_id: new for each attempt at a provider.
            expected_nano: what it will probably cost; None: the most.

        Raises:
            BudgetExhausted: it might pass the cap of the user, of all, or of this process.
        """
        ...

    async def settle(self, hold: Hold, spent: Spent) -> None:
        """Book what the call cost; a second time changes nothing, and no outage is raised."""
        ...

    async def release(self, hold: Hold) -> None:
        """Give the hold back: nothing was spent."""
        ...

    async def used_share(self, user: UserId) -> float:
        """Share of the day's budget, of the user or of all, whichever is larger, spent or held."""
        ...

    async def day_budget(self, user: UserId) -> DayBudget:
        """Where the user stands today.

        Raises:
            DatabaseUnavailable: nobody can say what is booked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sums:
    """What a day's ledger says of one user, or of all: nano-dollars."""

    spent: Nano = 0
    held: Nano = 0
    expected: Nano = 0


Verdict = Literal["admitted", "soon", "user", "all", "closed", "day", "taken"]


@dataclass(frozen=True, slots=True)
class Admission:
    """The store's reply to a hold.

    Args:
        verdict: `soon`: it would fit if the calls under way cost what is expected of them;
            `user`, `all`: whose cap is in the way; `closed`: the day's sums are not known to be
            whole; `day`: it is `day` by the store's clock;
            `taken`: a call of that id was settled.
        closing: names this closing of the day.
        closed_s: seconds for which it stays closed at least.
        granted: this process has been given the day's allowance.
    """

    verdict: Verdict
    user: Sums = Sums()
    all: Sums = Sums()
    closing: str = ""
    closed_s: float = 0.0
    granted: bool = False
    day: date | None = None


class LedgerStore(Protocol):
    """A day's calls and their sums, changed by one atomic step at a time; all processes share it.

    It may be lost, or come back with what it held a while ago; then it is closed for the lifetime
    of a hold. Every method raises CacheUnavailable where it cannot be asked.
    """

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        """Place the hold if it fits both caps; `ask` for the process's allowance as well."""
        ...

    async def release(self, hold: Hold) -> None:
        """Forget the hold, unless its call is no longer held."""
        ...

    async def record(self, calls: Collection[Call], *, booked: bool) -> None:
        """Let these calls of one day rise: they are settled, or stand in the cost book."""
        ...

    async def due(self, day: date) -> Sequence[Call]:
        """Reclaim holds that expired; the calls that ought to be booked by now, at most 100."""
        ...

    async def open(self, day: date, closing: str, *, grants: bool) -> bool:
        """End that closing; False if it is not the latest. `grants`: allowances may be given."""
        ...

    async def give_back(self, day: date) -> None:
        """One allowance of that day was not used, and never will be."""
        ...

    async def sums(self, day: date, users: Sequence[UserId | None]) -> Sequence[Sums]:
        """Of each user; None: of all."""
        ...


@dataclass(frozen=True, slots=True)
class BookTotals:
    """Calls of a day that are booked, and what they cost."""

    calls: int
    nano_usd: Nano


class CostBook(Protocol):
    """The truth about what was spent. Every method raises DatabaseUnavailable."""

    async def book(self, calls: Sequence[Call]) -> Sequence[Call]:
        """Book what is not booked; a guess gives way to what is known. The calls as they stand."""
        ...

    async def first_opening(self, day: date) -> bool:
        """Whether the ledger of that day was never opened before."""
        ...

    async def totals(self, day: date, user: UserId | None = None) -> BookTotals:
        """Of one user, or of all."""
        ...

    async def calls(self, day: date) -> Sequence[Call]:
        """All calls booked in that day."""
        ...
