"""The guard: deadline, breaker, bulkhead and retry around a call, and each of them matters."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing

import pytest
import stamina

from rag_core.clock import ManualClock, SystemClock
from rag_core.domain import Completion, Usage
from rag_core.errors import (
    BreakerOpen,
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
from rag_core.guard import Breaker, Bulkhead, Deadline, Guard, Retry, seconds_left

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


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(autouse=True)
def _no_backoff() -> Iterator[None]:
    with stamina.set_testing(True, attempts=9, cap=True):
        yield


MakeGuard = Callable[..., Guard]


@pytest.fixture
def make(clock: ManualClock) -> MakeGuard:
    def made(*, retries: int = 0, concurrency: int = 8, timeout_s: float = 30.0) -> Guard:
        return Guard(
            breaker=Breaker("provider", clock=clock),
            bulkhead=Bulkhead("provider", concurrency=concurrency, queue_s=0),
            retry=Retry(retries),
            timeout_s=timeout_s,
            clock=clock,
        )

    return made


async def outcome(guard: Guard, provider: Provider) -> object:
    try:
        return await guard.call(provider)
    except (RagError, KeyError, asyncio.CancelledError) as error:
        return type(error)


async def outcomes(guard: Guard, provider: Provider, times: int) -> list[object]:
    return [await outcome(guard, provider) for _ in range(times)]


async def collected(pieces: AsyncIterator[str | Completion]) -> list[str | Completion]:
    return [piece async for piece in pieces]


# Breaker


@pytest.mark.parametrize("error", FAILURES, ids=name_of)
async def test_a_dependency_that_fails_is_left_alone(make: MakeGuard, error: RagError) -> None:
    guard, provider = make(), Provider(error)
    assert await outcomes(guard, provider, 7) == [type(error)] * 5 + [BreakerOpen] * 2
    assert provider.calls == 5
    assert guard.open_for_s > 0


@pytest.mark.parametrize("error", [*ANSWERS, *OTHERS], ids=name_of)
async def test_our_own_mistakes_limits_and_cancellations_are_not_the_dependencys(
    make: MakeGuard, error: BaseException
) -> None:
    guard, provider = make(), Provider(error)
    assert await outcomes(guard, provider, 7) == [type(error)] * 7
    assert guard.open_for_s == 0


async def opened(guard: Guard, clock: ManualClock) -> None:
    await outcomes(guard, Provider(FAILURES[0]), 5)
    clock.advance(30)


@pytest.mark.parametrize("step", ["fine", *ANSWERS], ids=str)
async def test_three_probes_that_are_answered_close_it(
    make: MakeGuard, clock: ManualClock, step: RagError | str
) -> None:
    guard = make()
    await opened(guard, clock)
    await outcomes(guard, Provider(step), 3)
    assert guard.breaker.state == "closed"


@pytest.mark.parametrize("error", OTHERS, ids=name_of)
async def test_a_probe_that_tells_nothing_makes_room_for_the_next(
    make: MakeGuard, clock: ManualClock, error: BaseException
) -> None:
    guard, provider = make(), Provider(error)
    await opened(guard, clock)
    assert await outcomes(guard, provider, 5) == [type(error)] * 5
    assert guard.breaker.state == "half-open"


# Deadline


async def test_a_call_sees_what_is_left_of_the_request_and_of_its_own_time(
    make: MakeGuard, clock: ManualClock
) -> None:
    provider = Provider("fine")
    await make(timeout_s=30).call(provider)
    with Deadline(7, clock).applied():
        await make(timeout_s=30).call(provider)
    assert provider.left_s == [30, 7]


async def test_nothing_is_called_when_the_requests_time_is_up(
    make: MakeGuard, clock: ManualClock
) -> None:
    provider = Provider("fine")
    with Deadline(0, clock).applied():
        assert await outcome(make(), provider) is DeadlineExceeded
    assert provider.calls == 0


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


async def test_a_call_that_hangs_ends_with_its_time_and_counts() -> None:
    guard = on_real_time(0.01)
    for _ in range(5):
        with pytest.raises(ProviderTimeout):
            await guard.call(hang)
    assert guard.open_for_s > 0


async def test_a_call_that_hangs_ends_with_the_requests_time() -> None:
    guard = on_real_time(30)
    for _ in range(5):
        with Deadline(0.01, SystemClock()).applied(), pytest.raises(DeadlineExceeded):
            await guard.call(hang)
    assert guard.open_for_s == 0, "it had less than half of its time"


async def test_a_request_that_gave_it_more_than_half_of_its_time_says_that_it_is_slow() -> None:
    guard = on_real_time(0.03)
    for _ in range(5):
        with Deadline(0.02, SystemClock()).applied(), pytest.raises(DeadlineExceeded):
            await guard.call(hang)
    assert guard.open_for_s > 0


# Bulkhead


async def test_so_many_at_once_and_no_more(make: MakeGuard) -> None:
    guard = make(concurrency=3)
    calls = [asyncio.create_task(guard.call(hang)) for _ in range(3)]
    await asyncio.sleep(0)
    assert guard.bulkhead.in_flight == 3
    with pytest.raises(Overloaded) as shed:
        await guard.call(hang)
    assert shed.value.retry_after_s is not None
    assert guard.bulkhead.shed == 1
    assert guard.open_for_s == 0
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    assert await guard.call(Provider("fine")) == "fine"
    assert guard.bulkhead.in_flight == 0


async def test_whoever_waits_for_a_place_gets_the_next_one(clock: ManualClock) -> None:
    bulkhead = Bulkhead("provider", concurrency=1, queue_s=60)
    async with bulkhead.place(60):
        waiting = asyncio.create_task(enter(bulkhead))
        await asyncio.sleep(0)
        assert not waiting.done()
    assert await waiting == 1
    assert bulkhead.shed == 0


async def enter(bulkhead: Bulkhead) -> int:
    async with bulkhead.place(60):
        return bulkhead.in_flight


async def test_an_open_breaker_takes_up_no_place(make: MakeGuard, clock: ManualClock) -> None:
    guard = make(concurrency=1)
    await outcomes(guard, Provider(FAILURES[0]), 5)
    async with guard.bulkhead.place(1):
        assert await outcome(guard, Provider("fine")) is BreakerOpen
    assert guard.bulkhead.shed == 0


# Retry


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


# Streams


async def test_a_stream_is_passed_on_whole(make: MakeGuard) -> None:
    provider = Provider("gr", "ace")
    assert await collected(make().stream(provider.stream)) == ["gr", "ace", COMPLETION]
    assert provider.closed == 1


async def test_a_stream_is_begun_again_only_before_its_first_piece(make: MakeGuard) -> None:
    guard = make(retries=1)
    early = Provider(FAILURES[0], "gr", "ace")
    assert await collected(guard.stream(early.stream)) == ["gr", "ace", COMPLETION]
    assert early.closed == 2
    late = Provider("gr", FAILURES[0], "ace")
    with pytest.raises(ProviderUnavailable):
        await collected(guard.stream(late.stream))
    assert late.calls == 2


async def test_a_stream_that_is_cut_counts_and_an_open_breaker_begins_none(
    make: MakeGuard,
) -> None:
    guard = make()
    for _ in range(5):
        with pytest.raises(ProviderMisbehaved):
            await collected(guard.stream(Provider("gr", ProviderMisbehaved("cut")).stream))
    unasked = Provider("gr")
    with pytest.raises(BreakerOpen):
        await collected(guard.stream(unasked.stream))
    assert unasked.calls == 0


async def test_a_stream_keeps_its_place_until_it_ends(make: MakeGuard) -> None:
    guard = make()
    async with aclosing(guard.stream(Provider("gr", "ace").stream)) as pieces:
        assert await anext(pieces) == "gr"
        assert guard.bulkhead.in_flight == 1
        assert await anext(pieces) == "ace"
        assert await anext(pieces) == COMPLETION
        assert guard.bulkhead.in_flight == 0


async def test_a_stream_as_a_probe_counts_with_its_completion_and_not_if_closed_earlier(
    make: MakeGuard, clock: ManualClock
) -> None:
    guard = make()
    await opened(guard, clock)
    provider = Provider("gr", "ace")
    for _ in range(9):
        async with aclosing(guard.stream(provider.stream)) as pieces:
            await anext(pieces)
    assert guard.breaker.state == "half-open"
    assert provider.closed == 9
    for _ in range(3):
        async with aclosing(guard.stream(provider.stream)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    break
    assert guard.breaker.state == "closed"


async def test_a_stream_that_falls_silent_ends_with_its_time() -> None:
    async def silent() -> AsyncGenerator[str, None]:
        yield "gr"
        yield await hang()

    guard = on_real_time(0.01)
    pieces = guard.stream(silent)
    assert await anext(pieces) == "gr"
    with pytest.raises(ProviderTimeout):
        await anext(pieces)


async def test_a_stream_does_not_bind_its_reader_to_its_deadline(make: MakeGuard) -> None:
    async with aclosing(make(timeout_s=5).stream(Provider("gr", "ace").stream)) as pieces:
        await anext(pieces)
        assert seconds_left(1e9) == 1e9
