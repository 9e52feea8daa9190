"""When owners are told about money: pure rules over what was spent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from rag_core.budget.money import NANO_PER_USD
from rag_core.budget.recent_spend import RecentSpend, UserSpending
from rag_core.domain.user import UserId
from rag_core.errors import ConfigurationError

AlertKind = Literal["nearly spent", "tightened", "exhausted", "spike", "forecast"]
Scope = Literal["user", "all"]

TIGHTEN_AT = 0.9
"""Share of a day's budget from which answers are shorter; chosen."""
_SHARES: tuple[tuple[AlertKind, float], ...] = (
    ("nearly spent", 0.8),
    ("tightened", TIGHTEN_AT),
    ("exhausted", 1.0),
)
_SENTENCES: dict[AlertKind, str] = {
    "nearly spent": "{who} spent {spent} of the day's {cap}: 80 % are gone.",
    "tightened": "{who} spent {spent} of the day's {cap}: limits are tightened.",
    "exhausted": "{who} spent {spent}, and the day's budget is {cap}: no paid call until midnight.",
    "spike": "{who} spent {spent} within this hour, where less than {cap} is usual.",
    "forecast": "{who} will have spent about {spent} by midnight, and the day's budget is {cap}.",
}


def tightened(share: float) -> bool:
    """Whether so large a share of a day's budget is spent that answers become shorter."""
    return share >= TIGHTEN_AT


def output_budget(tokens: int, share: float) -> int:
    """Output tokens for a user who spent `share` of the day's budget: half when tightened."""
    return max(1, tokens // 2) if tightened(share) else tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing about money that an owner should know; money in nano-dollars."""

    kind: AlertKind
    scope: Scope
    user: UserId | None = None
    """Whose money; None for that of all users."""
    spent_nano: int
    """What was spent; of a forecast, what will have been."""
    cap_nano: int
    """The budget, or the spend from which an hour is a spike."""
    at: datetime
    """UTC."""

    @property
    def key(self) -> str:
        """Equal for alerts of which owners want one: a day's, and for spikes an hour's."""
        period = self.at.strftime("%Y-%m-%dT%H" if self.kind == "spike" else "%Y-%m-%d")
        return f"{self.kind.replace(' ', '-')}:{self.scope}:{period}"

    @property
    def sentence(self) -> str:
        """All of it, for a reader."""
        return _SENTENCES[self.kind].format(
            who=f"User {self.user}" if self.user else "All users together",
            spent=_dollars(self.spent_nano),
            cap=_dollars(self.cap_nano),
        )


def _dollars(nano_usd: int) -> str:
    return f"${nano_usd / NANO_PER_USD:,.2f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRules:
    """When there is something to tell; money in nano-dollars.

    Args:
        user_cap_nano: a user's budget of a day; 0: nothing is paid, so nothing is told of it.
        all_cap_nano: the same of all users together.

    Raises:
        ConfigurationError: a cap is below 0, or the factor or the floor not above it.
    """

    user_cap_nano: int
    all_cap_nano: int
    spike_factor: int = 10
    """An hour is a spike from so many times the usual one."""
    spike_floor_nano: int = NANO_PER_USD // 4
    """What no hour's spend below is a spike, however little is usual; chosen: 5 % of the default
    budget of a user."""

    def __post_init__(self) -> None:
        least = {"user_cap_nano": 0, "all_cap_nano": 0, "spike_factor": 1, "spike_floor_nano": 1}
        for name, value in least.items():
            if getattr(self, name) < value:
                raise ConfigurationError(name, f"must be >= {value}, got {getattr(self, name)!r}")

    def due(self, spending: RecentSpend, at: datetime) -> Iterator[Alert]:
        """Everything there is to tell about `spending`, told before or not."""
        yield from self._budget("all", None, spending.all_day_nano, self.all_cap_nano, at)
        for each in spending.users:
            yield from self._budget("user", each.user, each.day_nano, self.user_cap_nano, at)
            yield from self._spike(each, at)

    def _budget(
        self, scope: Scope, user: UserId | None, spent_nano: int, cap_nano: int, at: datetime
    ) -> Iterator[Alert]:
        for kind, share in _SHARES:
            if cap_nano and spent_nano >= share * cap_nano:
                yield Alert(
                    kind=kind,
                    scope=scope,
                    user=user,
                    spent_nano=spent_nano,
                    cap_nano=cap_nano,
                    at=at,
                )

    def _spike(self, spending: UserSpending, at: datetime) -> Iterator[Alert]:
        """Who never spent before has no usual hour, and no spike."""
        if spending.usual_hour_nano is None:
            return
        limit_nano = max(self.spike_factor * spending.usual_hour_nano, self.spike_floor_nano)
        if spending.hour_nano >= limit_nano:
            yield Alert(
                kind="spike",
                scope="user",
                user=spending.user,
                spent_nano=spending.hour_nano,
                cap_nano=limit_nano,
                at=at,
            )


class AlertLog(Protocol):
    """Which alerts were told already, by whichever process."""

    async def first(self, alert: Alert) -> bool:
        """True for exactly one of all callers with an alert of this scope, user and key.

        Raises:
            CacheUnavailable: nobody can tell at the moment.
        """
        ...


class AlertListener(Protocol):
    """Where alerts go."""

    name: str

    async def deliver(self, alert: Alert) -> None:
        """Hand it on.

        Raises:
            Unavailable: it could not be handed on, and was tried often enough.
        """
        ...
