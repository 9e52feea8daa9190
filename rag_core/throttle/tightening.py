"""Half of the rate limits for everyone while little is left of the day's budget."""

from __future__ import annotations

from rag_core.budget.alerts import tightened
from rag_core.clock import Clock
from rag_core.events import BudgetUsed, Event

_DAY_S = 86_400


class BudgetWatch:
    """A listener that remembers how much of today's budget of all users is used."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._share, self._day = 0.0, 0

    def __call__(self, event: Event) -> None:
        """Take note of a BudgetUsed; other events are ignored."""
        if isinstance(event, BudgetUsed):
            self._share, self._day = event.share, self._today()

    def tight(self) -> bool:
        """Whether so much of it is used that limits are halved; not on the next day of UTC."""
        return tightened(self._share) and self._day == self._today()

    def _today(self) -> int:
        return int(self._clock.now() // _DAY_S)
