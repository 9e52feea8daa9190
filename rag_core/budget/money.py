"""Money as whole nano-dollars (1e-9 USD), and how much of it a day may cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rag_core.domain.cost import Prices, Usage
from rag_core.errors import ConfigurationError

Nano = int
"""Billionths of a US dollar; sums stay below 2**53, which every script language holds exactly."""

NANO_PER_USD = 1_000_000_000
"""By the meaning of nano."""


def nano(usd: float) -> Nano:
    """`usd` in nano-dollars, rounded up beyond what a float's own error amounts to."""
    return math.ceil(round(usd * NANO_PER_USD, 3))


def price(prices: Prices, usage: Usage) -> Nano:
    """What `usage` costs; never less for more tokens."""
    return nano(prices.cost_usd(usage))


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What a day of UTC may cost, in nano-dollars.

    Args:
        user: at most for one user.
        all: at most for everyone together.
        allowance: what one process may spend while Redis is away.
        processes: how many allowances a day are given out at most.

    Raises:
        ConfigurationError: the allowances together are more than the cap.
    """

    user: Nano
    all: Nano
    allowance: Nano = 0
    processes: int = 1

    def __post_init__(self) -> None:
        if min(self.user, self.all, self.allowance) < 0 or self.processes < 1:
            raise ConfigurationError("RAG_BUDGET_*", f"must not be negative, got {self!r}")
        if self.all and self.allowance * self.processes > self.all:
            raise ConfigurationError(
                "RAG_BUDGET_ALLOWANCE_USD",
                "times RAG_BUDGET_PROCESSES is more than RAG_BUDGET_ALL_USD",
                "Lower one of them, or raise the budget",
            )

    @property
    def user_in_ledger(self) -> Nano:
        """A user's cap without the reserve that allowances come from."""
        return self.user - self.processes * self.user_allowance

    @property
    def all_in_ledger(self) -> Nano:
        """Everyone's cap without the reserve that allowances come from."""
        return self.all - self.processes * self.all_allowance

    @property
    def all_allowance(self) -> Nano:
        """What one process may spend of everyone's cap while Redis is away."""
        return self.allowance if self.all else 0

    @property
    def user_allowance(self) -> Nano:
        """The same share of one user's cap as an allowance is of everyone's."""
        return self.user * self.allowance // self.all if self.all else 0
