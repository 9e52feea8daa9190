"""The drills there are, how they are told and drawn, and one that is held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.drills import drill as drills
from evals.drills.drill import Drill, Phase
from evals.drills.limits import answered, degraded_quality, recovered, unbooked
from evals.drills.pictures import draw_timelines
from evals.drills.registry import DRILLS
from evals.drills.result import drills_result
from evals.drills.scene import Scene
from evals.drills.study import DrillsRun, study
from evals.results.result import read_result, write_result
from loadtests.stub_provider import ServerError
from rag_core.domain import Provenance
from tests.evals.drills.held import changed, ended, held, settled

ASPECTS = {"timing", "errors", "quality", "recovery", "money"}


@pytest.mark.parametrize("name", DRILLS)
def test_every_drill_supposes_something_of_every_aspect(name: str) -> None:
    assert {limit.aspect for limit in DRILLS[name].limits} == ASPECTS


def test_the_help_lists_every_drill_with_its_hypothesis(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["drill", "--help"]) == 0
    shown = capsys.readouterr().out
    for each in DRILLS.values():
        assert each.name in shown
        assert each.hypothesis in shown


def test_a_timeline_is_drawn_twice_and_told_in_words(tmp_path: Path) -> None:
    run = held(
        answered(),
        requests=[ended(0.5), ended(2.5, Provenance.DEGRADED), ended(2.7, None, error="X")],
        told=[changed(2.0, "closed", "open"), settled(0.6, 0.001)],
    )
    out = tmp_path / "drills.json"
    together = DrillsRun([run], "digest", "smoke", 0, 1.0)
    pictures = draw_timelines(together, out)
    assert {path.suffix for path in tmp_path.iterdir()} == {".png"}
    for said in ("In the trouble: 1 DEGRADED, 1 error", "open at 2.0 s", "stub"):
        assert said in pictures[0].alt
    result = read_result(write_result(drills_result(together, pictures), out))
    assert result.pictures[0].narrow
    assert answered().name in result.verdict


@asynccontextmanager
async def _five_hundreds(scene: Scene) -> AsyncIterator[None]:
    await scene.stub.behave(ServerError())
    yield
    await scene.stub.behave()


async def test_a_drill_is_held_before_a_real_stub_and_real_servers(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortest that asks in each phase: whatever it says is of what was measured."""
    shortest = replace(
        drills.SCALES["smoke"], calm_s=0.1, trouble_s=0.2, recovery_s=0.1, rate=20.0, probes=2
    )
    monkeypatch.setitem(drills.SCALES, "smoke", shortest)
    limits = (answered(), degraded_quality(), recovered(60.0), unbooked())
    made = Drill(name="made", title="Made", story="", trouble=_five_hundreds, limits=limits)
    together = await study(sample, [made], profile="smoke")
    (run,) = together.runs
    assert run.of(Phase.TROUBLE)
    assert {each.provenance for each in run.of(Phase.TROUBLE)} >= {Provenance.DEGRADED}
    assert [f.words for f in (limit.finding(run) for limit in limits) if not f.met] == []
    assert run.billed_usd > 0
