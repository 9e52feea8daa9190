"""Two runs of the same code on the same notes differ in nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.quality.result import quality_result
from evals.quality.study import study
from evals.results.notebook_run import NotebookRun
from evals.results.result import NotebookResult
from evals.run.evaluation import summary


def run(folder: Path, golden: Path) -> Path:
    """A run's folder, as far as a comparison reads it."""
    result = asyncio.run(_measured(golden))
    folder.mkdir()
    notebook = NotebookRun("01_quality", folder / "01_quality.ipynb", 1.0, result)
    (folder / "summary.json").write_text(json.dumps(summary([notebook], "smoke")))
    return folder


async def _measured(golden: Path) -> NotebookResult:
    return await quality_result(await study(golden), [])


@pytest.fixture
def runs(sample: Path, tmp_path: Path) -> list[Path]:
    return [run(tmp_path / name, sample) for name in ("one", "two")]


def test_a_run_and_its_repetition_differ_in_nothing(
    runs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *map(str, runs)]) == 0
    printed = capsys.readouterr().out
    assert "Nothing differs" in printed
    assert "every answer the same word for word" in printed
