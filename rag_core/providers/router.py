"""From provider to provider, until one of them answers."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

from rag_core.clock import Clock, SystemClock
from rag_core.domain.completion import Completion, Generator, TunableGenerator
from rag_core.domain.options import Options
from rag_core.errors import (
    BreakerOpen,
    DeadlineExceeded,
    Overloaded,
    ProviderError,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
    Unavailable,
)
from rag_core.events import Listener, ProviderCalled, ignore
from rag_core.guard.deadline import Deadline, seconds_left
from rag_core.providers.call import Call, Item
from rag_core.providers.choices import Writer
from rag_core.providers.cool_down import COOL_DOWN_S, CoolDown
from rag_core.providers.hedging import Hedging, hedged
from rag_core.providers.provider import Provider, Unguarded

FAILURES = (ProviderUnavailable, ProviderError, BreakerOpen, Overloaded, DeadlineExceeded)
"""What makes the router go on to the next provider."""

_Items = AsyncGenerator[tuple[Generator, Item], None]


class Router:
    """Asks providers in order of priority; who failed lately is asked last.

    Each gets an equal share of the time that is left until it begins to answer, so that one that
    hangs leaves time for the next. Once a piece of a text has been given out, there is no going
    back: a failure is raised.

    Args:
        hedging: asks a second provider where the first is slow; None: never.
    """

    def __init__(
        self,
        providers: Sequence[Provider],
        *,
        clock: Clock,
        listener: Listener = ignore,
        cool_down_s: float = COOL_DOWN_S,
        hedging: Hedging | None = None,
    ) -> None:
        self._providers = tuple(providers)
        self._clock = clock
        self._listener = listener
        self._cool_down_s, self._cool_down = cool_down_s, CoolDown(clock, cool_down_s)
        self._hedging = hedging
        self.identity = tuple(
            part for p in self._providers for part in (p.generator.name, p.generator.model)
        )
        """Who may write, in order: decides the completion of a given prompt."""

    @classmethod
    def alone(cls, generator: Generator, listener: Listener = ignore) -> Router:
        """A router with one generator that needs no guard, such as the extractive one."""
        return cls([Provider(generator, Unguarded())], clock=SystemClock(), listener=listener)

    def of(self, providers: Sequence[Provider]) -> Router:
        """A router that asks `providers` as this one asks its own; guards are theirs."""
        return Router(
            providers,
            clock=self._clock,
            listener=self._listener,
            cool_down_s=self._cool_down_s,
            hedging=Hedging() if self._hedging else None,
        )

    @property
    def writers(self) -> tuple[Writer, ...]:
        """Whom a question may choose, in the order in which they are asked."""
        every = (each.generator for each in self._providers)
        return tuple(Writer(g.name, g.model) for g in every if isinstance(g, TunableGenerator))

    def chosen(self, options: Options) -> Router:
        """Those of its providers that `options` leave, asked as they say; nobody is hedged."""
        tuned = (each.chosen(options) for each in self._providers)
        left = [each for each in tuned if each]
        return Router(left, clock=self._clock, listener=self._listener)

    @property
    def left_alone(self) -> tuple[str, ...]:
        """Providers whose breaker lets no call through now."""
        return tuple(each.name for each in self._providers if each.guard.open_for_s)

    async def write(self, call: Call, *, hedge: bool = True) -> _Items:
        """What the first provider that answers writes: pieces if streamed, and the whole last.

        Each item comes with its writer.

        Args:
            hedge: false where a second call would cost more than it is worth now.

        Raises:
            ProviderUnavailable, ProviderError: none answered, as the last one said why; or one
                failed in the middle of a stream.
        """
        waiting = self._cool_down.order(self._providers)
        failure: ProviderUnavailable | ProviderError = ProviderUnavailable(
            "every provider asks to be left alone", retry_after_s=self._cool_down.left_s()
        )
        while waiting:
            begun, share = False, self._share(len(waiting))
            async with aclosing(self._next(call, waiting, hedge)) as items:
                try:
                    with share.applied():
                        first = await anext(items)
                    begun = True
                    share.move(seconds_left(math.inf))  # a hedged stream's task goes on within it
                    yield first
                    async for item in items:
                        yield item
                    return
                except FAILURES as error:
                    failure = _of_the_provider(error)
                    if begun:
                        raise failure from error
        raise failure

    def _share(self, parts: int) -> Deadline:
        """A deadline after one of so many equal parts of what is left."""
        return Deadline(seconds_left(math.inf) / parts, self._clock)

    def _next(self, call: Call, waiting: list[Provider], hedge: bool) -> _Items:
        """What the next of those `waiting` writes, or, if that one is slow, the one after it."""
        first = waiting.pop(0)
        hedging = self._hedging
        if hedging is None or not waiting:
            return self._told(call, first)
        hedging.earn()
        wait_s = hedging.wait_s(_kind(call, first))
        troubled = any(provider.guard.open_for_s for provider in self._providers)
        if wait_s is None or troubled or not hedge:
            return self._told(call, first)

        def second() -> _Items | None:
            return self._told(call, waiting.pop(0), hedge=True) if hedging.allowed() else None

        return hedged(self._told(call, first), second, wait_s=wait_s, clock=self._clock)

    async def _told(self, call: Call, provider: Provider, *, hedge: bool = False) -> _Items:
        """What one provider writes; how it went is told to all who want to know."""
        outcome, began, begun = "cancelled", self._clock.monotonic(), False
        try:
            async with aclosing(call.made(provider)) as items:
                async for item in items:
                    if not begun:
                        self._timed(call, provider, began, Hedging.took)
                        begun = True
                    if isinstance(item, Completion):
                        outcome = "ok"
                        self._cool_down.answered(provider)
                    yield provider.generator, item
        except FAILURES as error:
            outcome = type(error).__name__
            self._cool_down.failed(provider, error)
            raise
        finally:
            if not begun:
                self._timed(call, provider, began, Hedging.gave_up)
            ms = (self._clock.monotonic() - began) * 1000
            model = provider.generator.model
            self._listener(ProviderCalled(provider.name, model, outcome, ms, hedge))

    def _timed(
        self,
        call: Call,
        provider: Provider,
        began: float,
        tell: Callable[[Hedging, str, float], None],
    ) -> None:
        if self._hedging:
            tell(self._hedging, _kind(call, provider), self._clock.monotonic() - began)


def _kind(call: Call, provider: Provider) -> str:
    """Calls whose latencies are alike: to the first token, or to the last."""
    return f"{provider.name} {'first token' if call.streamed else 'whole'}"


def _of_the_provider(error: RagError) -> ProviderUnavailable | ProviderError:
    """An open breaker, a full queue and a deadline, as seen from outside."""
    if isinstance(error, ProviderUnavailable | ProviderError):
        return error
    if isinstance(error, DeadlineExceeded):
        return ProviderTimeout("no provider answered within the request's time")
    wait_s = error.retry_after_s if isinstance(error, Unavailable) else None
    return ProviderUnavailable(str(error), retry_after_s=wait_s)
