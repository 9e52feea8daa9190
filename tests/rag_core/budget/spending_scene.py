"""A monitor over spend in memory, as one process of a fleet has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from rag_core.adapters.memory import MemoryAlertLog, MemorySpendSource
from rag_core.budget import NANO_PER_USD, Alert, AlertLog, AlertRules, SpendMonitor
from rag_core.clock import ManualClock
from rag_core.domain import UserId

RULES = AlertRules(user_cap_nano=5 * NANO_PER_USD, all_cap_nano=20 * NANO_PER_USD)
RUTH, BOAZ = UserId("ruth"), UserId("boaz")
NOON = datetime(2026, 3, 20, 12, tzinfo=UTC)


@dataclass
class SpendingScene:
    """Some processes that share a clock, what was spent, and an alert log."""

    processes: int = 1
    log: AlertLog = field(default_factory=MemoryAlertLog)
    source: MemorySpendSource = field(default_factory=MemorySpendSource)
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOON.timestamp()))
    told: list[Alert] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.monitors = [
            SpendMonitor(self.source, RULES, self.log, self.told.append, clock=self.clock)
            for _ in range(self.processes)
        ]

    async def settle(self, user: UserId, usd: float, process: int = 0) -> None:
        """A call is settled in a process, which then looks at what was spent."""
        at = datetime.fromtimestamp(self.clock.now(), UTC)
        self.source.record(user, at, round(usd * NANO_PER_USD))
        self.monitors[process].settled(user)
        await self.monitors[process].check()

    def kinds(self, user: UserId | None = None) -> list[str]:
        """The kinds of alerts told of one user, or of all users together."""
        return [alert.kind for alert in self.told if alert.user == user]
