"""The forecast of the running day and month, from the log of paid calls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rag_core.budget.forecast import HISTORY_DAYS, DayForecast, Forecast, History, days_of
from rag_core.budget.recent_spend import SpendSource
from rag_core.domain.user import UserId


@dataclass(frozen=True, slots=True)
class Outlook:
    """What the running day and month will have cost at their ends."""

    day: DayForecast
    month: Forecast


@dataclass(frozen=True, slots=True)
class _Past:
    today: date
    history: History
    month_nano: int
    """Spent in this month before today."""


class SpendOutlook:
    """Forecasts again and again, reading the days before once a day.

    Args:
        cap_nano: the day's budget in nano-dollars; infinite where there is none.
        user: whose spend; None: everybody's.
    """

    def __init__(
        self, source: SpendSource, *, cap_nano: float = math.inf, user: UserId | None = None
    ) -> None:
        self._source, self._cap_nano, self._user = source, cap_nano, user
        self._past: _Past | None = None

    async def at(self, now: datetime) -> Outlook | None:
        """The outlook at `now` (UTC); None where nothing was spent for four weeks.

        Raises:
            DatabaseUnavailable: no answer in time.
        """
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self._past is None or self._past.today != now.date():
            self._past = await self._read_past(midnight)
        hours = await self._source.hourly(midnight, now, user=self._user)
        spent = sum(hour.nano_usd for hour in hours)
        if not spent and not self._past.history.known:
            return None
        day = self._past.history.day((now - midnight) / timedelta(hours=1), spent)
        return Outlook(day, self._past.history.month(day, self._past.month_nano))

    async def _read_past(self, midnight: datetime) -> _Past:
        oldest, month = midnight - timedelta(days=HISTORY_DAYS), midnight.replace(day=1)
        rows = await self._source.hourly(min(oldest, month), midnight, user=self._user)
        recent = days_of([row for row in rows if row.hour >= oldest], midnight.date())
        return _Past(
            today=midnight.date(),
            history=History(recent, midnight.date(), cap_nano=self._cap_nano),
            month_nano=sum(row.nano_usd for row in rows if row.hour >= month),
        )
