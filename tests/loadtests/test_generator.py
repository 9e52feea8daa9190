"""The generator sends what was drawn when it was due, and measures from then."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from loadtests.record.sample import Sample, read_samples
from loadtests.rig.child import child, clean_environment, tail
from loadtests.rig.locust import SECRET, arguments
from loadtests.traffic.arrivals import drawn_arrivals
from loadtests.traffic.order import Order
from loadtests.traffic.shape import Shape
from loadtests.traffic.stage import Mix, Stage
from tests.loadtests.answering_server import answering

MIX = Mix(abuse_share=0.0, edit_share=0.1, stream_share=0.3)
START_S = 15.0


def shape(*, rate: float, callers: int) -> Shape:
    stage = Stage(name="steady", seconds=2, rate=rate, mix=MIX)
    return Shape(name="test", story="", people=7, callers=callers, stages=[stage])


async def generated(url: str, of: Shape, folder: Path, *, generators: int = 1) -> list[Sample]:
    order = Order(shape=of, seed=0, origin_s=time.time() + START_S)
    command = arguments(order, url, folder, generators=generators)
    log = folder / "locust.log"
    async with child(command, clean_environment() | {SECRET: "s" * 32}, log) as process:
        assert await process.wait() == 0, tail(log, 30)
    return read_samples(folder)


@pytest.mark.parametrize("generators", [1, 2])
async def test_all_that_was_drawn_is_sent_once_from_any_number_of_processes(
    generators: int, tmp_path: Path
) -> None:
    of = shape(rate=20, callers=20)
    with answering(0.002) as (url, server):
        samples = await generated(url, of, tmp_path, generators=generators)
    drawn = drawn_arrivals(of)
    assert sorted(each.serial for each in samples) == [each.serial for each in drawn]
    assert len(server.users) == len({each.person for each in drawn})
    assert all(each.right and each.status == 200 for each in samples if each.asked)
    assert {each.pipeline_ms for each in samples if each.asked} == {7.0}
    streams = [each for each in samples if each.name.startswith("stream")]
    assert streams
    assert all(each.first_ms and each.first_ms <= each.latency_ms for each in streams)
    assert (tmp_path / "locust.html").is_file()
    assert (tmp_path / "locust_stats.csv").is_file()


async def test_latency_counts_from_when_a_question_was_to_be_sent(tmp_path: Path) -> None:
    """One caller before a server that takes longer than questions are apart: each waits longer.

    All are answered 2.2 s after the first was due; Locust stops a second after the last was.
    """
    of = shape(rate=10, callers=1)
    with answering(0.13) as (url, _):
        samples = await generated(url, of, tmp_path)
    assert len(samples) == len(drawn_arrivals(of))
    last, took_s = samples[-1], 0.13 * len(samples)
    assert last.latency_ms / 1000 >= took_s - last.at_s - 0.05
    assert last.lag_ms == pytest.approx(last.latency_ms, abs=400)
    assert not last.in_time


def test_what_starts_the_generator_never_imports_gevent() -> None:
    """It changes whatever imports it, and would hang a notebook's kernel."""
    program = "import sys, loadtests.command; print('gevent' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.strip() == b"False"


async def test_a_child_ends_with_its_block(tmp_path: Path) -> None:
    async with child(("http.server", "0"), clean_environment(), tmp_path / "log") as process:
        assert process.returncode is None
    assert process.returncode is not None
