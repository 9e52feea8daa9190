"""The words of rate limits: so many requests in so long, of whom, and how many of them are used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from rag_core.errors import ConfigurationError

_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}
_RATE = re.compile(r"([1-9]\d{0,8})/(second|minute|hour|day)")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `amount` requests in any `window`: it slides, and does not begin on the hour."""

    scope: Literal["user", "all"]
    """Whose requests it counts: one user's, or everyone's together."""
    amount: int
    window: str
    """`second`, `minute`, `hour` or `day`."""

    @property
    def seconds(self) -> int:
        """Length of the window in seconds."""
        return _SECONDS[self.window]

    @property
    def halved(self) -> RateLimit:
        """Half of it, but at least one request."""
        return replace(self, amount=max(1, self.amount // 2))

    @property
    def name(self) -> str:
        """Of all limits of one request no other has it: `user-minute`."""
        return f"{self.scope}-{self.window}"

    def __str__(self) -> str:
        return f"{self.amount}/{self.window}"


def rate_limits(scope: Literal["user", "all"], texts: Iterable[str]) -> tuple[RateLimit, ...]:
    """Limits from texts like `10/minute`, the shortest window first; the lower of two for one.

    Raises:
        ConfigurationError: one of them is no such text.
    """
    parsed = [_parsed(scope, text) for text in texts]
    lowest = {each.window: each for each in sorted(parsed, key=lambda each: -each.amount)}
    return tuple(lowest[window] for window in _SECONDS if window in lowest)


def _parsed(scope: Literal["user", "all"], text: str) -> RateLimit:
    if not (found := _RATE.fullmatch(text)):
        raise ConfigurationError("rate limit", f"must be like 10/minute, got {text!r}")
    return RateLimit(scope, int(found[1]), found[2])


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a limit is used."""

    limit: RateLimit
    used: int
    """Requests that were let in within the window, up to the limit's amount."""
    frees_s: float = 0.0
    """Seconds until the first of them counts no more; 0 where none counts."""

    @property
    def remaining(self) -> int:
        """How many more may come now."""
        return max(0, self.limit.amount - self.used)


@dataclass(frozen=True, slots=True)
class Count:
    """Whether a request was counted, as every limit had room for it, and where they stand then."""

    counted: bool
    standings: tuple[Standing, ...]

    @property
    def refusal(self) -> Standing | None:
        """Of the limits without room, the one that has none for longest; None: it was counted."""
        full = [each for each in self.standings if not each.remaining]
        return None if self.counted else max(full, key=lambda standing: standing.frees_s)
