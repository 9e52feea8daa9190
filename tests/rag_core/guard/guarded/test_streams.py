"""A stream is guarded until its last piece."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from rag_core.clock import ManualClock
from rag_core.domain import Completion
from rag_core.errors import (
    BreakerOpen,
    ProviderMisbehaved,
    ProviderTimeout,
    ProviderUnavailable,
)
from rag_core.guard import seconds_left
from tests.rag_core.guard.guarded.calls import (
    COMPLETION,
    FAILURES,
    MakeGuard,
    Provider,
    collected,
    hang,
    on_real_time,
    opened,
)


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
