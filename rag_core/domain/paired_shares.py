"""Two shares of the same cases, and how sure the cases make us of the difference."""

from __future__ import annotations

import math
from dataclasses import dataclass

_Z95 = 1.959964
"""97.5 % point of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Share:
    """`value` is a share or the difference of two shares, -1 to 1.

    Its 95 % interval is from `low` to `high`.
    """

    value: float
    low: float
    high: float


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """95 % score interval of a `share` of `n` values, n > 0, whole or not (Wilson, 1927)."""
    z2 = _Z95**2 / n
    middle, half = share + z2 / 2, math.sqrt(z2 * (share * (1 - share) + z2 / 4))
    return (middle - half) / (1 + z2), (middle + half) / (1 + z2)


def share_of(count: int, n: int) -> Share:
    """`count` of `n`, n > 0, with its score interval."""
    share = count / n
    low, high = wilson_interval(share, n)
    return Share(share, min(share, max(0.0, low)), max(share, min(1.0, high)))


@dataclass(frozen=True, slots=True)
class PairedShares:
    """Something that holds of a case by the first, by the second, by both, or by neither.

    `both`, `first_only`, `second_only` and `neither` are numbers of cases; there is one at least.
    """

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def n(self) -> int:
        """Number of cases."""
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def first(self) -> Share:
        """Of which it holds by the first."""
        return share_of(self.both + self.first_only, self.n)

    @property
    def second(self) -> Share:
        """Of which it holds by the second."""
        return share_of(self.both + self.second_only, self.n)

    @property
    def gain(self) -> Share:
        """The second's share less the first's (Newcombe, 1998: method 10 for paired shares)."""
        first, second, phi = self.first, self.second, self._phi
        up, down = second.high - second.value, second.value - second.low
        first_up, first_down = first.high - first.value, first.value - first.low
        value = (self.second_only - self.first_only) / self.n
        below = down**2 - 2 * phi * down * first_up + first_up**2
        above = up**2 - 2 * phi * up * first_down + first_down**2
        return Share(value, value - math.sqrt(below), value + math.sqrt(above))

    @property
    def _phi(self) -> float:
        """The correlation of the two, corrected for continuity."""
        a, b, c, d = self.both, self.first_only, self.second_only, self.neither
        product = (a + b) * (c + d) * (a + c) * (b + d)
        if not product:
            return 0.0
        excess = float(a * d - b * c)
        if excess > 0:
            excess = max(0.0, excess - self.n / 2)
        return excess / math.sqrt(product)
