"""Several workers count together: whichever is asked, and however one of them ends."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag_core.clock import ManualClock
from rag_core.embedded import python_environment
from rag_core.events import (
    BreakerChanged,
    CacheLookedUp,
    DaySpent,
    MoneySettled,
    RequestServed,
    RequestStarted,
    StepFinished,
)
from tests.rag_core.adapters.telemetry import worker_process
from tests.rag_core.adapters.telemetry.metering import Worker
from tests.rag_core.adapters.telemetry.told import every_event

ROUTE = "/assistant/query"


def test_counts_are_added_and_every_worker_says_the_same(tmp_path: Path) -> None:
    one, other = Worker(tmp_path), Worker(tmp_path)
    one.tell(MoneySettled("hf", "m", 1.5), StepFinished("retrieve", 4.0), RequestStarted(ROUTE))
    other.tell(MoneySettled("hf", "m", 2.0), StepFinished("retrieve", 90.0), RequestStarted(ROUTE))
    other.tell(RequestServed(ROUTE, "POST", 200, 50.0))
    found = one.samples()
    assert found == other.samples()
    assert found["assistant_spend_usd_total", "hf"] == 3.5
    assert found["vector_search_duration_seconds_bucket", "0.005"] == 1
    assert found["vector_search_duration_seconds_count",] == 2
    assert found["assistant_concurrent_queries",] == 1


def test_a_ratio_is_of_what_all_workers_counted(tmp_path: Path) -> None:
    one, other = Worker(tmp_path), Worker(tmp_path)
    one.tell(CacheLookedUp("answer", "hit"))
    other.tell(*[CacheLookedUp("answer", "miss")] * 3)
    assert one.samples()["assistant_cache_hit_rate", "answer"] == 0.25


def test_of_a_gauge_the_last_word_counts_whoever_said_it(tmp_path: Path) -> None:
    clock = ManualClock()
    one, other = Worker(tmp_path, clock), Worker(tmp_path, clock)
    one.tell(BreakerChanged("hf", "closed", "open"), DaySpent(3.0, 1.0, 0))
    clock.advance(1)
    other.tell(BreakerChanged("hf", "open", "closed"))
    found = one.samples()
    assert found["assistant_breaker_state", "hf"] == 0
    assert found["assistant_api_cost_usd",] == 3.0


def test_what_a_killed_worker_counted_stays_and_what_it_held_is_gone(tmp_path: Path) -> None:
    survivor = Worker(tmp_path)
    survivor.tell(RequestStarted(ROUTE))
    with worker(tmp_path) as process:
        found = survivor.samples()
        assert found["assistant_concurrent_queries",] == 2
        assert found["assistant_breaker_state", "hf"] == 2
        process.kill()
        process.wait()
        found = survivor.samples()
    assert found["assistant_concurrent_queries",] == 1
    assert ("assistant_breaker_state", "hf") not in found
    assert found["assistant_spend_usd_total", "hf"] == 2.5


def test_a_series_that_is_being_begun_is_read_the_next_time(tmp_path: Path) -> None:
    one = Worker(tmp_path)
    one.tell(MoneySettled("hf", "m", 1.0))
    (file,) = tmp_path.glob("*.cells")
    with file.open("ab") as half:
        half.write(b'["assistant_spend_usd_to')
    assert one.samples()["assistant_spend_usd_total", "hf"] == 1.0


def test_shared_or_not_the_same_is_read(tmp_path: Path) -> None:
    told = list(every_event([ROUTE, "hf", "groq"]))
    shared, alone = Worker(tmp_path), Worker()
    shared.tell(*told)
    alone.tell(*told)
    assert shared.samples() == alone.samples()


async def test_it_can_be_read_beside_the_loop_that_counts(tmp_path: Path) -> None:
    one = Worker(tmp_path)

    def read_often() -> list[float]:
        return [one.samples().get(("assistant_spend_usd_total", "hf"), 0.0) for _ in range(5)]

    reading = asyncio.create_task(asyncio.to_thread(read_often))
    while not reading.done():
        one.tell(MoneySettled("hf", "m", 1.0))
        await asyncio.sleep(0)
    read = await reading
    assert read == sorted(read)
    assert one.samples()["assistant_spend_usd_total", "hf"] >= read[-1]


@contextmanager
def worker(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has counted, and waits."""
    command = [sys.executable, "-m", worker_process.__name__, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=python_environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"counted\n"
        yield process
        process.kill()
