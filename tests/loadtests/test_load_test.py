"""A whole load test before the application as it is served, a worker killed meanwhile."""

from __future__ import annotations

import json
from pathlib import Path

import psutil
import pytest

from loadtests.command import main
from loadtests.record.figures import figures
from loadtests.record.record import read_record
from loadtests.rig.load_test import Plan, run_load
from loadtests.traffic.arrivals import drawn_arrivals
from loadtests.traffic.shape import Shape, Trouble, Victim
from loadtests.traffic.stage import Mix, Stage

SHAPE = Shape(
    name="kills", story="", people=4, callers=20, warm_ranks=1, workers=2, provider_s=0.1,
    stages=[Stage(name="kills", seconds=12, rate=6, mix=Mix(edit_share=0.2, abuse_share=0.1))],
    troubles=[Trouble(Victim.WORKER, 4.0), Trouble(Victim.STUB, 8.0, 1.0)],
)  # fmt: skip


async def test_a_load_test_finds_what_happened_and_leaves_nothing_behind(tmp_path: Path) -> None:
    await run_load(Plan(shape=SHAPE, folder=tmp_path))
    record = read_record(tmp_path)
    run, found = record.run, figures(record)
    assert len(record.samples) == len(drawn_arrivals(SHAPE))
    assert (run.notes, run.warmed) == (12, 4)
    assert [each.victim for each in run.troubles] == ["worker", "stub"]
    assert run.saves
    assert not run.lost
    assert found["abuse_let_in"] == found["internal_errors"] == 0
    assert run.books
    assert run.books.billed_calls >= run.warmed
    assert run.books.booked_usd == pytest.approx(run.books.billed_usd, rel=0.3)
    assert {each.part for each in record.usages} == {
        "app",
        "postgres",
        "redis",
        "stub",
        "generator",
        "machine",
    }
    assert not [p for p in psutil.process_iter(["cwd"]) if "rag-load-" in (p.info["cwd"] or "")]
    assert main(["judge", str(tmp_path)]) in (0, 1, 3)
    assert json.loads((tmp_path / "summary.json").read_text())["shape"] == "kills"


def test_wrong_input_is_a_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("LOADTEST_JWT_SECRET", raising=False)
    assert main(["judge", str(tmp_path)]) == 2
    assert main(["run", "--url", "http://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert all(line.startswith("error: ") for line in said)


def test_the_list_names_every_profile(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert "chaos" in capsys.readouterr().out
