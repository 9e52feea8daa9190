"""What one process may spend while the ledger cannot be asked."""

from __future__ import annotations

from collections import Counter
from datetime import date

from rag_core.budget.ledger import Hold
from rag_core.budget.money import Caps, Nano
from rag_core.domain.user import UserId
from rag_core.errors import BudgetExhausted


class Allowance:
    """The day's allowance, once it was granted; what is used of it never comes back."""

    def __init__(self, caps: Caps) -> None:
        self._caps = caps
        self._granted: set[date] = set()
        self._used: Counter[tuple[date, str]] = Counter()
        self._open: set[tuple[UserId, str]] = set()

    def granted(self, day: date) -> bool:
        """Whether this process may spend on that day without asking."""
        return day in self._granted

    def grant(self, day: date) -> None:
        """The ledger gave one of the day's allowances to this process; forget those before."""
        self._granted = {kept for kept in self._granted if abs((day - kept).days) <= 1} | {day}
        self._used = Counter({k: used for k, used in self._used.items() if k[0] in self._granted})

    def unused(self) -> set[date]:
        """Days whose allowance nothing was taken from: given back by the caller."""
        unused = {day for day in self._granted if not self._used[day, ""]}
        self._granted -= unused
        return unused

    def take(self, hold: Hold) -> None:
        """Hold the call's money in the allowance.

        Raises:
            BudgetExhausted: there is none, or not enough is left of it.
        """
        for scope, most in (("", self._caps.all_allowance), (hold.user, self._caps.user_allowance)):
            used = self._used[hold.day, scope]
            if hold.day not in self._granted or used + hold.nano_usd > most:
                raise BudgetExhausted("process")
        self._open.add((hold.user, hold.call_id))
        self._add(hold, hold.nano_usd)

    def settle(self, hold: Hold, spent: Nano) -> None:
        """Keep what was spent of the hold, and let the rest be used again; once."""
        if (hold.user, hold.call_id) in self._open:
            self._open.remove((hold.user, hold.call_id))
            self._add(hold, spent - hold.nano_usd)

    def _add(self, hold: Hold, nano_usd: Nano) -> None:
        self._used[hold.day, ""] += nano_usd
        self._used[hold.day, hold.user] += nano_usd
