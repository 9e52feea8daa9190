"""A stretch of a load test: how long, how much, and of what."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from loadtests.traffic.people import ASKED_AGAIN


class Kind(StrEnum):
    """What a person sends."""

    QUESTION = "question"
    STREAM = "stream"
    """A question whose answer is to come token by token."""
    EDIT = "edit"
    """A note that is saved: a new one, or a changed one."""
    ABUSE = "abuse"
    """What must be turned away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of what is sent; what the others leave are questions, answered whole.

    `new_share` is of all questions; the others are drawn from a person's `ranks` most popular
    ones, that of rank r with a probability proportional to r ** -zipf_s.

    Raises:
        ValueError: shares that are none, or ranks that nobody has.
    """

    stream_share: float = 0.2
    edit_share: float = 0.01
    abuse_share: float = 0.02
    new_share: float = 0.1
    zipf_s: float = 1.1
    """The exponent, with no unit: that of the simulator's default trace."""
    ranks: int = ASKED_AGAIN
    """Number of questions that a person asks again and again."""

    def __post_init__(self) -> None:
        shares = (self.stream_share, self.edit_share, self.abuse_share, self.new_share)
        if min(shares) < 0 or sum(shares[:3]) > 1 or self.new_share > 1:
            raise ValueError(f"shares must be from 0 to 1, together at most 1, got {self!r}")
        if not 1 <= self.ranks <= ASKED_AGAIN:
            raise ValueError(f"ranks must be from 1 to {ASKED_AGAIN}, got {self.ranks!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stretch of `seconds` at `rate` arrivals a second, or at one that goes on to `to_rate`.

    Raises:
        ValueError: a length or a rate below 0.
    """

    name: str
    seconds: float
    rate: float
    to_rate: float | None = None
    mix: Mix = Mix()
    judged: bool = True
    """Whether what came of it counts for the objectives; warming up does not."""

    def __post_init__(self) -> None:
        if self.seconds <= 0 or min(self.rate, self.last_rate) < 0:
            raise ValueError(f"{self.name}: seconds and rates must not be below 0, got {self!r}")

    @property
    def last_rate(self) -> float:
        """Arrivals a second at its end."""
        return self.rate if self.to_rate is None else self.to_rate
