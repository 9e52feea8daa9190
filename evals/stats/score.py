"""Scores: a missing score is a row with a reason, never a number.

Scored(value) | Unscored(reason)      one measure of one question
"""

from __future__ import annotations

import math
from dataclasses import dataclass

NOT_A_NUMBER = "not a number"


@dataclass(frozen=True, slots=True)
class Scored:
    """A finite value, in the unit of its measure.

    Raises:
        ValueError: `value` is NaN or infinite.
    """

    value: float

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a score must be a finite number, got {self.value!r}")


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that is missing, and why."""

    reason: str


Score = Scored | Unscored


def scored(value: float) -> Score:
    """`value`, in any unit, as a score; NaN and infinities (libraries' failures) are Unscored."""
    return Scored(float(value)) if math.isfinite(value) else Unscored(NOT_A_NUMBER)


def share(part: int, whole: int, *, nothing: str) -> Score:
    """The share `part / whole`, or Unscored, for the reason `nothing`, when `whole` counts zero."""
    return Scored(part / whole) if whole else Unscored(nothing)
