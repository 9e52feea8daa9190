"""What counts against a dependency, and what a probe tells of it."""

from __future__ import annotations

import pytest

from rag_core.clock import ManualClock
from rag_core.errors import (
    BreakerOpen,
    RagError,
)
from tests.rag_core.guard.guarded.calls import (
    ANSWERS,
    FAILURES,
    OTHERS,
    MakeGuard,
    Provider,
    name_of,
    opened,
    outcomes,
)


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
