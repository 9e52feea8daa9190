"""Planted candidates: copies of the checkout, and the gate's words beside what they must be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from evals.bench import verdicts
from evals.bench.planted_checkout import Edit, copied
from evals.bench.planted_faults import FAULTS
from evals.bench.planted_runs import Change, Workshop
from evals.bench.verdict_cases import CASES, Case, Made
from evals.gate.finding import Status
from evals.project import ROOT
from evals.run.manifest import revision
from rag_core.errors import ConfigurationError, Unavailable
from tests.evals.gate.recorded_runs import RecordedRun


def test_a_copy_is_one_commit_whatever_fault_is_awake(tmp_path: Path) -> None:
    copies = [copied(tmp_path / name, FAULTS) for name in ("one", "other")]
    copies[1].wake("losing")
    first, second = (revision(each.folder) for each in copies)
    assert first == second
    assert first.commit != revision(ROOT).commit
    assert first.dirty is False
    for edit in FAULTS:
        compile((copies[0].folder / edit.path).read_text(), edit.path, "exec")


def test_a_fault_that_finds_nothing_to_replace_is_not_planted_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="has not what a fault is planted in"):
        copied(tmp_path, [Edit("pyproject.toml", "what nobody wrote", "")])


@pytest.mark.parametrize(
    ("case", "met"),
    [
        ((Status.INVALID, ["nobody", "02_retrieval, candidate"]), True),
        ((Status.INVALID, ["R@5 (nothing)"]), False),
        ((Status.PASS, []), False),
    ],
)
async def test_a_verdict_is_met_where_the_real_gate_says_it_of_that_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[Status, list[str]], met: bool
) -> None:
    async def make(shop: Workshop, runs: Path) -> Made:
        without = RecordedRun()
        without.absent.add("02_retrieval")
        without.write(runs / "run")
        return Made(baseline=RecordedRun().write(tmp_path / "base"), candidate=runs)

    monkeypatch.setitem(verdicts.CASES, "made-up", Case(make, *case))  # type: ignore[arg-type]
    (figure,) = await verdicts.verdicts(tmp_path / "shop")["made-up"](tmp_path)
    assert figure.measured.startswith("INVALID (exit code 3): The two cannot be compared.")
    assert figure.met is met


async def test_a_candidate_that_could_not_be_made_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def make(shop: Workshop, runs: Path) -> Made:
        raise Unavailable("the database went away")

    monkeypatch.setitem(verdicts.CASES, "made-up", Case(make, Status.PASS))  # type: ignore[arg-type]
    (figure,) = await verdicts.verdicts(tmp_path)["made-up"](tmp_path)
    assert (figure.met, "went away" in figure.measured) == (False, True)


async def test_of_what_a_change_does_not_reach_the_bases_runs_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Workshop(tmp_path)
    base = shop.new_runs("base")
    for name in ("02_retrieval", "03_cache"):
        (base / name).mkdir()
        (base / name / f"{name}.json").write_text(json.dumps(name))
    asked: list[object] = []

    async def measure(self: Workshop, runs: Path, names: object, *others: object) -> None:
        asked.append(names)

    monkeypatch.setattr(Workshop, "measure", measure)
    runs = shop.new_runs("candidate")
    anew = ("01_quality", "04_cost", "07_validity")
    await shop.candidate(runs, base, anew, Change())
    assert asked == [anew]
    assert {path.name for path in runs.iterdir()} == {"02_retrieval", "03_cache"}
    shutil.rmtree(base / "03_cache")
    with pytest.raises(Unavailable, match="base has no result of 03_cache"):
        await shop.candidate(shop.new_runs("another"), base, anew, Change())


def test_the_requirements_candidates_are_all_there() -> None:
    wanted = {
        *("identical-runs", "broken-chunker", "worse-prompt", "negating-generator"),
        *("slower-query", "doubled-context", "missing-result", "empty-run"),
        *("another-dataset", "edited-question"),
    }
    assert wanted <= CASES.keys()
