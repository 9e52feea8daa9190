"""Budgets switched off: nothing is held back, and every call is still booked."""

from __future__ import annotations

from dataclasses import replace

from rag_core.budget.daily_ledger import DailyLedger
from rag_core.budget.ledger import DayBudget, Hold, Spent
from rag_core.budget.money import Nano
from rag_core.domain.user import UserId


class Uncapped:
    """Ledger that asks for no hold, so that nothing stands in the way of a call.

    What a process has under way when it is killed is not booked: nobody else knows of it.
    """

    def __init__(self, ledger: DailyLedger) -> None:
        self._ledger = ledger

    async def hold(
        self, user: UserId, call_id: str, nano_usd: Nano, expected_nano: Nano | None = None
    ) -> Hold:
        """Nothing is held, and nobody refused."""
        expected = nano_usd if expected_nano is None else expected_nano
        return Hold(user, call_id, self._ledger.today(), nano_usd, expected)

    async def settle(self, hold: Hold, spent: Spent) -> None:
        """See `Ledger`."""
        await self._ledger.settle(hold, spent)

    async def release(self, hold: Hold) -> None:
        """There is nothing to give back."""

    async def used_share(self, user: UserId) -> float:
        """None of it, so that no answer is cut short."""
        return 0.0

    async def day_budget(self, user: UserId) -> DayBudget:
        """What is booked; there is no limit."""
        return replace(await self._ledger.day_budget(user), limit=None)
