"""What was spent, summed up for owners: by user, day, week, month, provider or model."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol

from rag_core.budget.money import NANO_PER_USD
from rag_core.domain.user import UserId

Grouping = Literal["user", "day", "week", "month", "provider", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """The paid calls of one group."""

    by: Grouping
    group: str
    """A user, provider or model, or the first day of a day, week (Monday) or month, YYYY-MM-DD."""
    calls: int
    input_tokens: int
    output_tokens: int
    nano_usd: int

    @property
    def usd(self) -> float:
        """US dollars."""
        return self.nano_usd / NANO_PER_USD

    def record(self) -> dict[str, str | int | float]:
        """A flat row, its group under the name of the grouping: for JSON, CSV and pandas."""
        return {
            self.by: self.group,
            "calls": self.calls,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "usd": self.usd,
        }


class CostReport(Protocol):
    """Sums over the daily rows of what was spent."""

    async def spend(
        self,
        by: Grouping,
        *,
        since: date,
        until: date,
        user: UserId | None = None,
        top: int | None = None,
    ) -> list[Spend]:
        """The groups of the days of UTC from `since` to `until`, both included.

        Days, weeks and months come in their order, all else dearest first.

        Args:
            user: only this user's spend; None: everybody's.
            top: so many groups at most: the dearest, or the latest days, weeks or months.

        Raises:
            DatabaseUnavailable: Postgres did not answer in time.
        """
        ...
