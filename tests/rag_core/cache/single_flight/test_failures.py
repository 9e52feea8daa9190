"""Work that fails: all that wait learn of it, and the event loop has nothing to complain of."""

from __future__ import annotations

import asyncio
import gc

import pytest

from rag_core.cache import Emit, SingleFlight
from rag_core.domain import Answer
from rag_core.errors import ProviderUnavailable
from tests.rag_core.cache.parts import Work, answer, settled
from tests.rag_core.cache.single_flight.callers import ask, take


async def test_a_failure_reaches_all_that_wait_and_the_next_call_tries_anew(
    flights: SingleFlight, work: Work
) -> None:
    tasks = await ask(flights, work, times=5)
    work.outcome.set_exception(ProviderUnavailable("down"))
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(result) for result in results] == ["down"] * 5
    assert work.begun == 1
    healed = Work()
    healed.outcome.set_result(answer("done"))
    assert (await take(flights, healed))[1].text == "done"


async def test_work_that_fails_when_nobody_waits_any_more_complains_to_nobody(
    flights: SingleFlight, complaints: list[object]
) -> None:
    """No 'exception was never retrieved' from the event loop."""

    async def failing(emit: Emit) -> Answer:
        try:
            await asyncio.Event().wait()
        finally:
            raise ProviderUnavailable("broke while it was cleaning up")

    task = asyncio.create_task(take(flights, failing))  # type: ignore[arg-type]
    await settled()
    task.cancel()
    await settled()
    del task
    gc.collect()
    assert complaints == []


async def test_a_failure_after_one_of_its_callers_has_left_is_no_complaint_either(
    flights: SingleFlight, work: Work, complaints: list[object]
) -> None:
    leaves, stays = await ask(flights, work, times=2)
    leaves.cancel()
    await settled(leaves)
    work.outcome.set_exception(ProviderUnavailable("down"))
    with pytest.raises(ProviderUnavailable):
        await stays
    del leaves, stays
    gc.collect()
    assert complaints == []
