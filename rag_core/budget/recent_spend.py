"""What users have spent of late, as alerts and forecasts need it; the days are those of UTC."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rag_core.domain.user import UserId

USUAL_DAYS = 14
"""Days before the running hour whose hours with spend make a user's usual hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserSpending:
    """What one user has spent, in nano-dollars."""

    user: UserId
    day_nano: int
    """Since midnight UTC."""
    hour_nano: int = 0
    """Since the full hour."""
    usual_hour_nano: int | None = None
    """Median of the user's hours that had spend; None: there were none, or it was not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentSpend:
    """What was spent up to a moment, in nano-dollars."""

    all_day_nano: int
    """By all users since midnight UTC."""
    users: tuple[UserSpending, ...] = ()
    """Of those asked for, who spent anything since midnight or the full hour."""


@dataclass(frozen=True, slots=True)
class HourSpend:
    """What was spent in the hour of UTC that begins at `hour`, in nano-dollars."""

    hour: datetime
    nano_usd: int


class SpendSource(Protocol):
    """Reads the log of paid calls."""

    async def spending(
        self, users: Collection[UserId], at: datetime, *, usual_above_nano: int
    ) -> RecentSpend:
        """What all and each of `users` have spent, in one round trip.

        Args:
            usual_above_nano: a user's usual hour is looked up from so much in the running hour.

        Raises:
            DatabaseUnavailable: no answer in time.
        """
        ...

    async def hourly(
        self, since: datetime, until: datetime, *, user: UserId | None = None
    ) -> list[HourSpend]:
        """The hours that had spend in [`since`, `until`), in order; of `user` alone if given.

        Raises:
            DatabaseUnavailable: no answer in time.
        """
        ...
