"""What a measure is: a name, labels, and all values that a label may have.

The labels of a measure are closed sets, or open ones of which the first few values have a name and
the rest is `other`. So the number of series has a bound that can be added up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

OTHER = "other"

Kind = Literal["counter", "level", "gauge", "histogram", "summary"]
"""`level` is a gauge that is added to, over all workers; of a `gauge` the last word counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A label and its values; what is none of them is `other`.

    Args:
        room: so many values more have a name, those that come first.
        folded: values that are counted as others.
        closed: events are typed so that there is no other value.
    """

    name: str
    values: tuple[str, ...] = ()
    room: int = 0
    folded: Mapping[str, str] = field(default_factory=dict, hash=False)
    closed: bool = False

    @property
    def count(self) -> int:
        """How many values it has at most."""
        return len(self.values) + self.room + (not self.closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One family of series.

    Args:
        buckets: upper bounds of a histogram's, in the unit of its name.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[Label, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def max_children(self) -> int:
        """How many combinations of its labels' values there are."""
        return prod(label.count for label in self.labels)

    @property
    def max_series(self) -> int:
        """How many series Prometheus sees of it at most."""
        each = {"histogram": len(self.buckets) + 3, "summary": 2}.get(self.kind, 1)
        return each * self.max_children


def closed(name: str, *values: str) -> Label:
    """A label with exactly these values."""
    return Label(name=name, values=values, closed=True)
