"""What the day has cost, told now and then by the book that is the truth."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from typing import Protocol

from rag_core.budget.money import NANO_PER_USD
from rag_core.clock import WATCH_S, Clock, SystemClock, recurring
from rag_core.errors import DatabaseUnavailable
from rag_core.events import DaySpent, Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class DayTotals:
    """What calls of one day of UTC have cost, in nano-dollars."""

    all_nano: int
    top_user_nano: int
    """Of the user who spent most."""
    users_over: int
    """Number of users who have spent the cap that was asked for, but for a hundredth."""


class DayCosts(Protocol):
    """Sums up a day."""

    async def day(self, day: date, *, user_cap_nano: int) -> DayTotals:
        """The totals of a day of UTC, in one round trip.

        Raises:
            DatabaseUnavailable: no answer in time.
        """
        ...


@asynccontextmanager
async def day_watched(
    costs: DayCosts, *, user_cap_nano: int, clock: Clock, emit: Listener
) -> AsyncIterator[None]:
    """While the block runs, emit a `DaySpent` every `WATCH_S` seconds of the machine's clock.

    Args:
        clock: says what day it is.
    """

    tell = partial(tell_day, costs, user_cap_nano=user_cap_nano, clock=clock, emit=emit)
    async with recurring("the day's costs are told", tell, WATCH_S, SystemClock()):
        yield


async def tell_day(costs: DayCosts, *, user_cap_nano: int, clock: Clock, emit: Listener) -> None:
    """Emit the day's `DaySpent`; none while Postgres is away, which others tell."""
    today = datetime.fromtimestamp(clock.now(), UTC).date()
    try:
        day = await costs.day(today, user_cap_nano=user_cap_nano)
    except DatabaseUnavailable:
        return
    all_usd, top_usd = day.all_nano / NANO_PER_USD, day.top_user_nano / NANO_PER_USD
    emit(DaySpent(all_usd, top_usd, day.users_over))
