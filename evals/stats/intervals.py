"""A number with the interval it is known to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag_core.errors import InvalidInput

_Z95 = 1.959964  # 97.5 % point of the normal distribution


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value and its 95 % interval.

    Raises:
        InvalidInput: the numbers are not finite, or the interval leaves the value out.
    """

    value: float
    low: float
    high: float

    def __post_init__(self) -> None:
        finite = bool(np.isfinite([self.value, self.low, self.high]).all())
        if not (finite and self.low <= self.value <= self.high):
            raise InvalidInput(
                "estimate",
                f"must have low <= value <= high, got {self.low!r}, {self.value!r}, {self.high!r}",
            )

    @classmethod
    def exact(cls, value: float) -> Estimate:
        """A value taken as known."""
        return cls(value, value, value)

    @classmethod
    def of_draws(cls, value: float, draws: NDArray[np.float64]) -> Estimate:
        """A value with the interval between the 2.5 and 97.5 percentiles of its draws."""
        low, high = np.percentile(draws, [2.5, 97.5])
        return cls(value, min(float(low), value), max(float(high), value))

    def draws(
        self,
        rng: np.random.Generator,
        count: int,
        *,
        floor: float = 0.0,
        ceiling: float = np.inf,
    ) -> NDArray[np.float64]:
        """Values from a normal whose two sides have the interval's two widths; float64[count].

        Draws past `floor` or `ceiling`, the quantity's natural limits, are moved onto them.
        """
        z = rng.standard_normal(count) / _Z95
        width = np.where(z < 0, self.value - self.low, self.high - self.value)
        return np.clip(self.value + z * width, floor, ceiling)

    def __format__(self, spec: str) -> str:
        return f"{self.value:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"
