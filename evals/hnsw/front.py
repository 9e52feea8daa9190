"""What is worth its price: settings that none beats in both recall and speed, and which to take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from evals.hnsw.grid import Kind, Setting
from evals.hnsw.tables import Built
from evals.hnsw.timing import Timing
from evals.measures.scores import Aggregate

TARGET = 0.99
"""Recall@5 that the recommended setting is to reach: the requirement's."""


Price = Callable[["Tried"], float]
"""What a setting costs, the less the better: milliseconds, or fewer queries a second."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting on questions of split dev, among rows of a tenant of `size`.

    `quiet` is one client, `busy` as many as the grid has at most; `recall` is of both together.
    """

    size: int
    setting: Setting
    built: Built
    quiet: Timing
    busy: Timing
    recall: Aggregate

    @property
    def p50_ms(self) -> float:
        """Median latency of one client."""
        return median(each.ms for each in self.quiet.searches)

    @property
    def share(self) -> float:
        """Recall@5 from 0 to 1."""
        return self.recall.value or 0.0


def dominated(tried: Sequence[Tried], price: Price) -> set[Setting]:
    """Settings that another beats: as good in recall and price, and better in one of them."""
    points = [(each.setting, each.share, price(each)) for each in tried]
    return {
        setting
        for setting, recall, paid in points
        if any(
            other >= recall and less <= paid and (other, less) != (recall, paid)
            for _, other, less in points
        )
    }


def fastest(tried: Iterable[Tried], target: float = TARGET) -> Tried:
    """The fastest by its median of those whose recall reaches the target, a share from 0 to 1.

    Where none does, it is the one of the highest recall.
    """
    candidates = list(tried)
    reaching = [each for each in candidates if each.share >= target]
    if reaching:
        return min(reaching, key=lambda each: each.p50_ms)
    return max(candidates, key=lambda each: (each.share, -each.p50_ms))


def chosen(tried: Sequence[Tried], target: float = TARGET) -> dict[str, Tried]:
    """The fastest of each family, such as `HNSW vector`, among settings of one size.

    `target` is a recall from 0 to 1.
    """
    families: dict[str, list[Tried]] = {}
    for each in tried:
        families.setdefault(each.setting.name, []).append(each)
    return {name: fastest(members, target) for name, members in families.items()}


def of_kind(tried: Iterable[Tried], kind: Kind) -> list[Tried]:
    """Those of one kind."""
    return [each for each in tried if each.setting.kind is kind]
