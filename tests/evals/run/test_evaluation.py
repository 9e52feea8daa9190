"""A whole run: notebooks executed, and a folder that says what came of it."""

from __future__ import annotations

import gc
import json
from dataclasses import replace
from pathlib import Path

import pytest

from evals.run.evaluation import RunOptions, evaluate
from evals.run.profiles import cell_timeout_s, profile_of
from rag_core.errors import InvalidInput
from tests.evals.run.notebook_files import WRITES, small_notebook


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunOptions:
    for name in ("PYDEVD_DISABLE_FILE_VALIDATION", "RAGAS_DO_NOT_TRACK"):
        monkeypatch.setenv(name, "")  # so that what the run sets ends with the test
    return RunOptions("smoke", notebooks=tmp_path / "notebooks", reports=tmp_path / "reports")


@pytest.mark.filterwarnings("default")  # jupyter_client and its relations warn
def test_a_run_reports_what_its_notebooks_found_and_the_worst_of_their_exit_codes(
    sample: Path,
    options: RunOptions,
    capsys: pytest.CaptureFixture[str],
) -> None:
    small_notebook(options.notebooks, WRITES.format(n=3), name="01_fine")
    small_notebook(options.notebooks, "raise ValueError('a bug')", name="02_wrong")

    assert evaluate(replace(options, golden=sample)) == 3

    (folder,) = options.reports.iterdir()
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["profile"] == "smoke"
    assert set(manifest["notebooks"]) == {"01_fine", "02_wrong"}
    assert manifest["notebooks"]["01_fine"]["problem"] == ""
    assert "a bug" in manifest["notebooks"]["02_wrong"]["problem"]
    assert "It ran." in (folder / "index.html").read_text()
    assert {"01_fine.html", "02_wrong.html", "summary.json"} <= {f.name for f in folder.iterdir()}
    assert str(folder / "index.html") in capsys.readouterr().out


@pytest.mark.filterwarnings("default")  # jupyter_client and its relations warn
def test_answers_of_another_provider_are_not_those_that_were_kept(
    sample: Path,
    options: RunOptions,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A manifest hides the URL, which may hold a password; what is kept must tell them apart."""
    small_notebook(options.notebooks, WRITES.format(n=3), name="01_fine")
    kept = []
    for port in (8_001, 8_001, 8_002):
        monkeypatch.setenv("RAG_HF_BASE_URL", f"http://127.0.0.1:{port}/v1")
        evaluate(replace(options, golden=sample))
        kept.append("nothing has changed" in capsys.readouterr().out)
    gc.collect()  # jupyter_client leaves sockets behind: not for another test to be blamed for
    assert kept == [False, True, False]


def test_an_unknown_profile_is_refused_before_anything_runs(options: RunOptions) -> None:
    with pytest.raises(InvalidInput, match="--profile"):
        evaluate(RunOptions("fast", options.notebooks, options.reports))
    assert not options.reports.exists()


def test_only_notebooks_that_have_more_to_try_get_the_profile_bench() -> None:
    assert profile_of("10_hnsw", "bench") == "bench"
    assert profile_of("02_retrieval", "bench") == "full"
    assert profile_of("10_hnsw", "smoke") == profile_of("02_retrieval", "smoke") == "smoke"
    assert cell_timeout_s("bench") > cell_timeout_s("full")
