"""Providers that fail by a script, and calls to them through a guard."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import pytest

from rag_core.clock import ManualClock, SystemClock
from rag_core.domain import Completion, Usage
from rag_core.errors import (
    BudgetExhausted,
    ContextOverflow,
    DatabaseUnavailable,
    DeadlineExceeded,
    InvalidInput,
    Overloaded,
    ProviderLoading,
    ProviderMisbehaved,
    ProviderOutOfCredit,
    ProviderRateLimited,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
)
from rag_core.guard import Breaker, Bulkhead, Guard, Retry, seconds_left

PATIENCE_S = 60.0

COMPLETION = Completion("grace", Usage(1, 1), "model")

FAILURES: tuple[RagError, ...] = (
    ProviderUnavailable("503"),
    ProviderTimeout("slow"),
    ProviderRateLimited("429"),
    ProviderLoading("loading"),
    ProviderOutOfCredit("402"),
    ProviderMisbehaved("garbage"),
    DatabaseUnavailable("gone"),
    DeadlineExceeded("slow"),
)
ANSWERS: tuple[RagError, ...] = (
    ProviderRejected("400"),
    ContextOverflow("too long"),
    ProviderRefused("no"),
)
OTHERS: tuple[BaseException, ...] = (
    Overloaded("full"),
    BudgetExhausted("user"),
    InvalidInput("question", "is empty"),
    asyncio.CancelledError(),
    KeyError("a bug of ours"),
)


def name_of(error: BaseException) -> str:
    return type(error).__name__


class Provider:
    """Answers by its script, an error or a value each; the last one for ever."""

    def __init__(self, *script: BaseException | str) -> None:
        self.script = list(script)
        self.calls = 0
        self.closed = 0
        self.left_s: list[float] = []

    async def __call__(self) -> str:
        self.calls += 1
        self.left_s.append(seconds_left(1e9))
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(step, BaseException):
            raise step
        return step

    async def stream(self) -> AsyncGenerator[str | Completion, None]:
        try:
            yield await self()
            yield await self()
            yield COMPLETION
        finally:
            self.closed += 1


MakeGuard = Callable[..., Guard]


async def outcome(guard: Guard, provider: Provider) -> object:
    try:
        return await guard.call(provider)
    except (RagError, KeyError, asyncio.CancelledError) as error:
        return type(error)


async def outcomes(guard: Guard, provider: Provider, times: int) -> list[object]:
    return [await outcome(guard, provider) for _ in range(times)]


async def collected(pieces: AsyncIterator[str | Completion]) -> list[str | Completion]:
    return [piece async for piece in pieces]


async def opened(guard: Guard, clock: ManualClock) -> None:
    await outcomes(guard, Provider(FAILURES[0]), 5)
    clock.advance(30)


async def hang() -> str:
    try:
        await asyncio.wait_for(asyncio.Event().wait(), PATIENCE_S)
    except TimeoutError:
        pytest.fail("nobody ended it")
    return "never"


def on_real_time(timeout_s: float) -> Guard:
    clock = SystemClock()
    return Guard(
        breaker=Breaker("provider", clock=clock),
        bulkhead=Bulkhead("provider"),
        retry=Retry(1),
        timeout_s=timeout_s,
        clock=clock,
    )
