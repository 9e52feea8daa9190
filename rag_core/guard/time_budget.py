"""A time budget that all Redis work of one request shares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class TimeBudget:
    """Seconds that the calls made within `applied` blocks may take together."""

    def __init__(self, seconds: float) -> None:
        self.left_s = seconds

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Charge the calls made within the block, and in tasks begun there, to this budget."""
        token = CURRENT_BUDGET.set(self)
        try:
            yield
        finally:
            CURRENT_BUDGET.reset(token)


CURRENT_BUDGET: ContextVar[TimeBudget | None] = ContextVar("time_budget", default=None)


def budget_left(most: float) -> float:
    """What the next call may take: `most` seconds, or what the budget around it has left."""
    current = CURRENT_BUDGET.get()
    return most if current is None else min(most, current.left_s)


def spend(seconds: float) -> None:
    """Take what a call used from the budget around it."""
    current = CURRENT_BUDGET.get()
    if current is not None:
        current.left_s = max(0.0, current.left_s - seconds)
