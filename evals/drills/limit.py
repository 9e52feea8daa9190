"""A number of a hypothesis, and what it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from evals.results.numbers import number
from evals.results.result import Unit

if TYPE_CHECKING:
    from evals.drills.run import DrillRun

Aspect = Literal["timing", "errors", "quality", "recovery", "money"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One number of a hypothesis: `value` of a drill, None where there was nothing to measure.

    It is held against `most`, or else against `least`, all of them in `unit`.
    """

    aspect: Aspect
    name: str
    unit: Unit | Literal["points"]
    value: Callable[[DrillRun], float | None]
    most: float | None = None
    least: float | None = None

    @property
    def words(self) -> str:
        """As a part of the hypothesis."""
        return f"{self.name}: {self.wanted}"

    @property
    def wanted(self) -> str:
        """What it is held against."""
        if self.most is not None:
            return f"≤ {self.worded(self.most)}" if self.most else self.worded(0.0)
        assert self.least is not None
        return f"≥ {self.worded(self.least)}"

    def worded(self, value: float | None) -> str:
        """`value` with its unit."""
        if self.unit == "points":
            return "not measured" if value is None else f"{value:.1f} points"
        return number(value, self.unit)

    def finding(self, run: DrillRun) -> Finding:
        """What it was."""
        return Finding(self, self.value(run))


@dataclass(frozen=True, slots=True)
class Finding:
    """A limit and the `value` measured, in the unit of the limit."""

    limit: Limit
    value: float | None

    @property
    def met(self) -> bool:
        """Whether it is as was supposed; what was not measured is not."""
        if self.value is None:
            return False
        if self.limit.most is not None:
            return self.value <= self.limit.most
        return self.value >= (self.limit.least or 0.0)

    @property
    def words(self) -> str:
        """The number, and what was supposed of it."""
        return f"{self.limit.name} {self.limit.worded(self.value)}, supposed {self.limit.wanted}"
