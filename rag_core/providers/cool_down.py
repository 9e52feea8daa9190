"""Providers that failed lately: asked last, or not at all while they ask to be left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag_core.clock import Clock
from rag_core.errors import (
    BreakerOpen,
    BudgetExhausted,
    ContextOverflow,
    Overloaded,
    ProviderRefused,
    RagError,
    Unavailable,
)
from rag_core.providers.provider import Provider

COOL_DOWN_S = 300.0
"""For a failure that does not say itself when to come again."""

LONGEST_S = 3_600.0
"""However long a provider asks to be left alone."""

_NOT_ITS_OWN = (ContextOverflow, ProviderRefused, BreakerOpen, Overloaded, BudgetExhausted)
"""Of this prompt or of ourselves: they say nothing of how the provider does the next one."""


@dataclass(frozen=True, slots=True)
class _Cooling:
    until: float
    wanted: bool
    """Whether the provider itself asked for it, by Retry-After."""


class CoolDown:
    """Who is asked first, by what happened lately."""

    def __init__(self, clock: Clock, seconds: float = COOL_DOWN_S) -> None:
        self._clock, self._seconds = clock, seconds
        self._cooling: dict[Provider, _Cooling] = {}

    def order(self, providers: Sequence[Provider]) -> list[Provider]:
        """Those that may be asked: first those that are well, in their order, then the others."""
        now = self._clock.monotonic()
        self._cooling = {p: each for p, each in self._cooling.items() if each.until > now}
        asked = [p for p in providers if p not in self._cooling or not self._cooling[p].wanted]
        return sorted(asked, key=lambda p: self._cooling[p].until if p in self._cooling else 0.0)

    def failed(self, provider: Provider, error: RagError) -> None:
        """Take note of a failure of `provider`."""
        if isinstance(error, _NOT_ITS_OWN):
            return
        wanted = error.retry_after_s if isinstance(error, Unavailable) else None
        seconds = self._seconds if wanted is None else min(wanted, LONGEST_S)
        self._cooling[provider] = _Cooling(self._clock.monotonic() + seconds, wanted is not None)

    def answered(self, provider: Provider) -> None:
        """It is well again."""
        self._cooling.pop(provider, None)

    def left_s(self) -> float | None:
        """Seconds until the first of those that are left alone may be asked; None without one."""
        now = self._clock.monotonic()
        return min((each.until - now for each in self._cooling.values()), default=None)
