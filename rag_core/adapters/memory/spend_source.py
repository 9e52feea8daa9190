"""The log of paid calls, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from statistics import median_low

from rag_core.budget import USUAL_DAYS, HourSpend, RecentSpend, UserSpending
from rag_core.domain.user import UserId


class MemorySpendSource:
    """SpendSource over the calls that are recorded in it."""

    def __init__(self) -> None:
        self._calls: list[tuple[UserId, datetime, int]] = []

    def record(self, user: UserId, at: datetime, nano_usd: int) -> None:
        """A call of `user` was settled at `at` for `nano_usd`."""
        self._calls.append((user, at, nano_usd))

    async def spending(
        self, users: Collection[UserId], at: datetime, *, usual_above_nano: int
    ) -> RecentSpend:
        """See `SpendSource`."""
        day = at.replace(hour=0, minute=0, second=0, microsecond=0)
        hour = _hour(at)
        today = [(user, when, nano) for user, when, nano in self._calls if when >= day]
        rows = []
        for each in users:
            spent = sum(nano for user, when, nano in today if user == each and when >= hour)
            usual = self._usual(each, hour) if spent >= usual_above_nano else None
            rows.append(
                UserSpending(
                    user=each,
                    day_nano=sum(nano for user, _, nano in today if user == each),
                    hour_nano=spent,
                    usual_hour_nano=usual,
                )
            )
        return RecentSpend(all_day_nano=sum(nano for _, _, nano in today), users=tuple(rows))

    async def hourly(
        self, since: datetime, until: datetime, *, user: UserId | None = None
    ) -> list[HourSpend]:
        """See `SpendSource`."""
        hours = self._by_hour(
            (when, nano)
            for who, when, nano in self._calls
            if user in (None, who) and since <= when < until
        )
        return [HourSpend(hour, nano) for hour, nano in sorted(hours.items())]

    def _usual(self, user: UserId, hour: datetime) -> int | None:
        since = hour - timedelta(days=USUAL_DAYS)
        calls = ((at, nano) for who, at, nano in self._calls if who == user and since <= at < hour)
        spent = [nano for nano in self._by_hour(calls).values() if nano]
        return median_low(spent) if spent else None

    def _by_hour(self, calls: Iterable[tuple[datetime, int]]) -> Counter[datetime]:
        hours: Counter[datetime] = Counter()
        for when, nano in calls:
            hours[_hour(when)] += nano
        return hours


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)
