"""What is tried again, how often, and when it no longer makes sense."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.clock import ManualClock
from rag_core.errors import (
    ProviderMisbehaved,
    ProviderOutOfCredit,
    ProviderRateLimited,
    ProviderUnavailable,
    RagError,
)
from rag_core.guard import Deadline, Retry
from tests.rag_core.guard.guarded.calls import (
    ANSWERS,
    FAILURES,
    OTHERS,
    MakeGuard,
    Provider,
    name_of,
    opened,
    outcome,
    outcomes,
)


@pytest.mark.parametrize("error", [FAILURES[0], *FAILURES[2:4]], ids=name_of)
async def test_what_may_pass_by_itself_is_tried_again(make: MakeGuard, error: RagError) -> None:
    provider = Provider(error, "fine")
    assert await make(retries=1).call(provider) == "fine"
    assert provider.calls == 2


@pytest.mark.parametrize(
    "error",
    [*ANSWERS, *OTHERS, ProviderOutOfCredit("402"), ProviderMisbehaved("garbage")],
    ids=name_of,
)
async def test_what_would_fail_again_is_not(make: MakeGuard, error: BaseException) -> None:
    provider = Provider(error, "fine")
    assert await outcome(make(retries=1), provider) is type(error)
    assert provider.calls == 1


async def test_all_attempts_of_a_call_are_one_failure(make: MakeGuard) -> None:
    guard, provider = make(retries=2), Provider(FAILURES[0])
    await outcomes(guard, provider, 4)
    assert provider.calls == 12
    assert guard.open_for_s == 0


async def test_short_advice_to_wait_is_followed(make: MakeGuard) -> None:
    for wait_s, calls in ((0.0, 2), (0.4, 2), (0.6, 1), (300.0, 1)):
        provider = Provider(ProviderRateLimited("429", retry_after_s=wait_s), "fine")
        await outcome(make(retries=1), provider)
        assert provider.calls == calls


async def test_what_waits_to_be_tried_again_does_not_call_a_breaker_that_opened_meanwhile() -> None:
    """Ten calls fail at once: the fifth failure opens the breaker, and the others are waiting."""
    retry, provider, failures = Retry(1), Provider(FAILURES[0]), 0

    async def work() -> str:
        nonlocal failures
        failures += 1
        return await provider()

    calls = (
        retry.call(work, left_s=lambda: 30.0, allowed=lambda: failures < 10) for _ in range(10)
    )
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(each) for each in ended} == {type(FAILURES[0])}
    assert provider.calls == 10


async def test_nothing_is_tried_again_when_the_deadline_is_near(
    make: MakeGuard, clock: ManualClock
) -> None:
    provider = Provider(FAILURES[0], "fine")
    with Deadline(0.5, clock).applied():
        assert await outcome(make(retries=1), provider) is ProviderUnavailable
    assert provider.calls == 1


async def test_a_probe_is_one_attempt(make: MakeGuard, clock: ManualClock) -> None:
    guard, provider = make(retries=3), Provider(FAILURES[0])
    await opened(guard, clock)
    assert await outcome(guard, provider) is ProviderUnavailable
    assert provider.calls == 1
