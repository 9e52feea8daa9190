"""What was measured, and what can be read off it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.hnsw.churn import Churned
from evals.hnsw.deployed import Overhead
from evals.hnsw.front import Tried, fastest, of_kind
from evals.hnsw.grid import LARGEST, Grid, Kind, Setting
from evals.hnsw.limit import Limit
from evals.hnsw.tables import Built
from evals.hnsw.timing import Timing
from evals.measures.scores import Aggregate, Unscored

HEADLINE_SIZE = 10_000
"""Rows of the requirement's tenant; the largest size tried stands in where that is smaller."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A setting that was chosen, on questions of split test, searched for one tenant.

    `rows` are the tenant's; `clients` asked at once. `built` says what its index cost.
    """

    size: int
    tenant: str
    rows: int
    setting: Setting
    built: Built
    timing: Timing
    recall: Aggregate
    short: int
    """Number of searches that found fewer rows than there are."""

    @property
    def clients(self) -> int:
        """How many asked at once."""
        return self.timing.clients


@dataclass(frozen=True, slots=True)
class Cold:
    """A setting right after the server was started anew: its first search, and a pass of them."""

    size: int
    setting: Setting
    first_ms: float
    timing: Timing


@dataclass(frozen=True, slots=True)
class HnswRun:
    """All that was measured."""

    grid: Grid
    tried: Sequence[Tried]
    seen: Sequence[Seen]
    cold: Sequence[Cold]
    churned: Churned
    overhead: Overhead
    limit: Limit | Unscored
    rows: Mapping[int, str]
    """What the rows of each size are made of, in words."""
    apart: bool
    """Whether settings were chosen on other questions than those that they are reported on."""
    golden_digest: str
    embedder_digest: str
    profile: str
    seed: int
    seconds: float

    @property
    def headline_size(self) -> int:
        """The size that the headlines are of."""
        return headline_size(self.grid)

    def of_size(self, size: int) -> list[Tried]:
        """All that was tried at this size."""
        return [each for each in self.tried if each.size == size]

    def recommended(self, size: int) -> Tried:
        """The fastest graph that reaches the target on dev."""
        return fastest(of_kind(self.of_size(size), Kind.HNSW))

    def seen_of(self, tried: Tried, tenant: str = LARGEST, clients: int = 1) -> Seen:
        """What a setting that was chosen did on test; `clients` is how many asked at once."""
        wanted = (tried.size, tried.setting, tenant, clients)
        return next(
            each
            for each in self.seen
            if (each.size, each.setting, each.tenant, each.clients) == wanted
        )


def headline_size(grid: Grid) -> int:
    """The requirement's size, or the largest below it that is tried."""
    smaller = [size for size in grid.sizes if size <= HEADLINE_SIZE]
    return max(smaller, default=min(grid.sizes))
