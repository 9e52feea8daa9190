"""Watches what is settled and tells owners, off the path of every request.

A settled call costs the request one insertion into a set. A task beside it then reads, at most
once in `pause_s`, what all the users since the last time have spent: one round trip for them
together, and one more to the alert log for an alert that this process has not told yet.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime

from rag_core.budget.alerts import Alert, AlertLog, AlertRules
from rag_core.budget.forecast import DEPLOYED, DayForecast
from rag_core.budget.outlook import SpendOutlook
from rag_core.budget.recent_spend import SpendSource
from rag_core.cancelling import cancel_for_good
from rag_core.clock import Clock
from rag_core.domain.user import UserId
from rag_core.errors import CacheUnavailable, DatabaseUnavailable

MAX_WAITING = 10_000
"""Users that wait to be looked at; more are left out until they spend again."""


class SpendMonitor:
    """Tells each alert once, by `tell`, whichever process notices it first.

    Where the alert log cannot be asked, each process tells it once. Where Postgres cannot be
    asked, it is asked again after `pause_s`.
    """

    def __init__(
        self,
        source: SpendSource,
        rules: AlertRules,
        log: AlertLog,
        tell: Callable[[Alert], None],
        *,
        clock: Clock,
        pause_s: float = 1.0,
        forecast_every_s: float = 300.0,
    ) -> None:
        self._source, self._rules, self._log, self._tell = source, rules, log, tell
        self._clock, self._pause_s, self._forecast_every_s = clock, pause_s, forecast_every_s
        self._outlook = SpendOutlook(source, cap_nano=rules.all_cap_nano or math.inf)
        self._waiting: set[UserId] = set()
        self._wake = asyncio.Event()
        self._told: set[tuple[str, UserId | None]] = set()
        self._told_on: date | None = None
        self._forecast_due = clock.now()

    def settled(self, user: UserId) -> None:
        """A paid call of `user` was booked; returns at once."""
        if len(self._waiting) < MAX_WAITING:
            self._waiting.add(user)
        self._wake.set()

    async def run(self) -> None:
        """Check after settled calls, until it is cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.check()
            except DatabaseUnavailable:
                self._wake.set()
            await self._clock.sleep(self._pause_s)

    async def check(self) -> None:
        """Look at everyone who waits, and tell what is due.

        Raises:
            DatabaseUnavailable: no answer in time; who waits goes on waiting.
        """
        now = self._clock.now()
        at = datetime.fromtimestamp(now, UTC)
        users = frozenset(self._waiting)
        spending = await self._source.spending(
            users, at, usual_above_nano=self._rules.spike_floor_nano
        )
        self._waiting -= users
        for alert in self._rules.due(spending, at):
            await self._tell_once(alert)
        if now >= self._forecast_due:
            self._forecast_due = now + self._forecast_every_s
            await self._forecast(at)

    async def _forecast(self, at: datetime) -> None:
        outlook = await self._outlook.at(at)
        alert = outlook and self._warning(outlook.day, at)
        if alert:
            await self._tell_once(alert)

    def _warning(self, day: DayForecast, at: datetime) -> Alert | None:
        cap_nano = self._rules.all_cap_nano
        if day.spent_nano >= cap_nano or day.probability_over(cap_nano) < DEPLOYED.warn_at:
            return None
        expected_nano = round(max(cap_nano, day.forecast.expected_nano))
        return Alert(
            kind="forecast", scope="all", spent_nano=expected_nano, cap_nano=cap_nano, at=at
        )

    async def _tell_once(self, alert: Alert) -> None:
        if self._told_on != alert.at.date():
            self._told_on = alert.at.date()
            self._told.clear()
        if (alert.key, alert.user) in self._told:
            return
        try:
            first = await self._log.first(alert)
        except CacheUnavailable:
            first = True
        self._told.add((alert.key, alert.user))
        if first:
            self._tell(alert)


@asynccontextmanager
async def watching(monitor: SpendMonitor) -> AsyncIterator[SpendMonitor]:
    """`monitor`, whose task runs as long as the block; what waits is looked at once more after."""
    task = asyncio.create_task(monitor.run())
    try:
        yield monitor
    finally:
        await cancel_for_good(task)
        with suppress(DatabaseUnavailable):
            await monitor.check()
