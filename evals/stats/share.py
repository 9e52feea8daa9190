"""How many of how many, and how sure that makes us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evals.stats.intervals import Estimate
from rag_core.domain import wilson_interval


@dataclass(frozen=True, slots=True)
class Share:
    """How many of n, and the share that they are, 0 to 1, with its 95 % interval (Wilson)."""

    hits: int
    n: int
    share: Estimate

    @classmethod
    def of(cls, found: Sequence[bool]) -> Share:
        """The share of those that are true, of one or more."""
        hits, n = sum(found), len(found)
        low, high = wilson_interval(hits / n, n)
        return cls(hits, n, Estimate(hits / n, min(low, hits / n), max(high, hits / n)))

    def __str__(self) -> str:
        seen = self.share
        return f"{self.hits} ({seen.value:.0%}; {seen.low:.0%} to {seen.high:.0%})"
