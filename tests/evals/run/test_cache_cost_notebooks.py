"""The notebooks on caches and on cost run, hand over what they found, and follow their inputs."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from evals.cost.golden_tokens import tokens_of_result
from evals.cost.model import StatedTokens
from evals.cost.study import hit_rates_of_result, output_range, result_path, user_counts
from evals.project import NOTEBOOKS
from evals.results.notebook_run import NotebookRun
from evals.results.recommendation import Origin, write_recommended
from evals.results.result import NotebookResult, write_result
from evals.run.notebooks import Value, discover
from evals.run.runner import run_notebook
from evals.simulation.plausible import RANGES
from evals.simulation.scale import scale
from evals.stats.intervals import Estimate
from rag_core.errors import InvalidInput
from rag_core.settings import load_settings


def quality_result(
    folder: Path,
    tokens: dict[str, tuple[float, float]],
    generator: str = "extractive (extractive-v1)",
) -> Path:
    """What 01_quality leaves of the tokens of an answer a question."""
    rows = {
        name: {question: {"value": pair[place]} for question, pair in tokens.items()}
        for place, name in enumerate(("input_tokens", "output_tokens"))
    }
    result = NotebookResult(
        title="Answers",
        verdict="",
        n=len(tokens),
        facts={"generator": generator},
        data={"summary": {"rows": rows}},
    )
    return write_result(result, folder / "01_quality.json")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run's folder, as the notebooks share it."""
    base = tmp_path_factory.getbasetemp()
    made = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache-cost-run"
    made.mkdir(exist_ok=True)
    return made


def once(folder: Path, name: str, make: Callable[[], NotebookRun]) -> NotebookRun:
    """What one test process makes, for all of them: a notebook runs for half a minute."""
    kept = folder / f"{name}.pickle"
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            kept.write_bytes(pickle.dumps(make()))
    run = pickle.loads(kept.read_bytes())
    assert isinstance(run, NotebookRun)
    return run


@pytest.fixture(scope="module")
def cache_run(folder: Path, exported_model: Path) -> NotebookRun:
    return once(folder, "cache", lambda: _run_cache(folder, exported_model))


def _run_cache(folder: Path, exported_model: Path) -> NotebookRun:
    quality_result(folder, {"q1": (1_300, 90), "q2": (1_500, 110), "refused": (0, 0)})
    (notebook,) = discover(NOTEBOOKS, "cache")
    few: dict[str, Value] = {
        "users": 100,
        "days": 7,
        "edits_per_user_day": 2.0,
        "max_staleness_s": 300.0,
        "workers": 2,
        "epoch_read_us": 100.0,
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_HOME", str(folder / "home"))
        patch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))
        return run_notebook(notebook, {"profile": "smoke", **few}, folder)


@pytest.fixture(scope="module")
def cost_run(folder: Path, cache_run: NotebookRun) -> NotebookRun:
    assert cache_run.result is not None
    (notebook,) = discover(NOTEBOOKS, "cost")
    values: dict[str, Value] = {"profile": "smoke", "users": "10, 1_000"}
    return once(folder, "cost", lambda: run_notebook(notebook, values, folder))


def result_of(run: NotebookRun) -> NotebookResult:
    assert run.result is not None, run.problem
    return run.result


def test_theory_simulator_and_real_caches_agree(cache_run: NotebookRun) -> None:
    result = result_of(cache_run)
    assert "caches agree" in result.verdict
    found = {each.name: each for each in result.headlines}
    assert found["Requests unlike the simulation"].value == 0
    assert found["Requests unlike the simulation"].n > 3_000
    assert found["Answers on changed notes"].value == 0
    assert result.recommendation is not None
    assert not result.recommendation.withheld


def test_permitted_staleness_is_weighed_and_said_to_be_simulated(cache_run: NotebookRun) -> None:
    result = result_of(cache_run)
    for said in ("Simulated, not measured", "2 processes", "5 min", "Deployed is 0"):
        assert said in result.verdict
    weighed = [each for each in result.headlines if "epochs" in each.meaning]
    assert all(each.simulated for each in weighed)
    assert [each.name for each in weighed] == [
        "Epoch reads saved",
        "Answers late",
    ]
    saved = weighed[0].value
    rows = {
        (row["max_staleness_s"], row["workers"]): row
        for row in result.data["staleness"]["settings"]
    }
    row = rows[300.0, 2]
    assert saved == pytest.approx(1e6 * (1 - row["reads_per_request"]))
    a_day = row["reads_saved_a_day"]
    assert row["cpu_s_saved_a_day"] == pytest.approx(a_day * 100e-6)
    assert {rows[0.0, workers]["late"] for workers in (1, 2, 4, 16)} == {0}


def test_the_recommended_settings_load(cache_run: NotebookRun, folder: Path) -> None:
    recommended = result_of(cache_run).recommendation
    assert recommended is not None
    chosen = hit_rates_of_result(folder / "03_cache.json").recommended.setting
    origin = Origin(run="r", commit="c", date="d", pipeline="p")
    path = write_recommended({"03_cache": recommended}, origin, folder)
    assert path is not None
    settings = load_settings(path)
    assert settings.answer_soft_ttl_s == chosen.answer_soft_ttl_s
    assert settings.answer_hard_ttl_s == chosen.answer_hard_ttl_s > chosen.answer_soft_ttl_s
    assert settings.context_ttl_s == chosen.context_ttl_s
    assert settings.embedding_ttl_s == chosen.embedding_ttl_s


def test_simulated_figures_have_a_band_and_count_traffics_not_requests(
    cache_run: NotebookRun, cost_run: NotebookRun
) -> None:
    for run in (cache_run, cost_run):
        simulated = [each for each in result_of(run).headlines if each.simulated]
        assert simulated
        for each in simulated:
            assert each.n in (0, 1 + 2 ** len(RANGES))
            assert each.low is not None
            assert each.high is not None
            assert each.value is not None
            assert each.low <= each.value <= each.high


def test_how_often_an_edit_changes_evidence_is_measured(cache_run: NotebookRun) -> None:
    found = {each.name: each for each in result_of(cache_run).headlines}
    touch = found["Edits that change an answer's evidence"]
    enter = found["Edits elsewhere that do"]
    assert not touch.simulated
    assert not enter.simulated
    assert touch.value is not None
    assert enter.value is not None
    assert touch.value > enter.value
    assert touch.n > 0
    assert enter.n > 0


def test_cost_follows_the_tokens_and_hit_rates_of_the_same_run(
    cost_run: NotebookRun, folder: Path
) -> None:
    result = result_of(cost_run)
    assert result.n == 2
    assert "result of 01_quality" in result.facts["tokens"]
    assert "result of 03_cache" in result.facts["hit rates"]
    found = {each.name: each.value for each in result.headlines}
    usd = 1_400 * 2e-7 + 200 * 6e-7
    assert found["Cost of 1,000 questions"] == pytest.approx(1_000 * usd)
    missed = 1 - hit_rates_of_result(folder / "03_cache.json").deployed.hit_rate.value
    assert found["A month of 1,000 users"] == pytest.approx(1_000 * 10 * 30 * missed * usd)


def test_cost_reproduces_the_reference_table_and_says_what_measuring_makes_of_it(
    cost_run: NotebookRun,
) -> None:
    verdict = result_of(cost_run).verdict
    assert "reference table comes out as stated" in verdict
    assert "1,400 tokens" in verdict


def test_sliders_leave_a_hint_in_an_executed_notebook(cache_run: NotebookRun) -> None:
    executed = cache_run.executed.read_text(encoding="utf-8")
    assert "run it there to move sliders" in executed
    assert "jupyter.widget" not in executed


def test_questions_that_never_reached_the_generator_cost_nothing_and_are_left_out(
    tmp_path: Path,
) -> None:
    path = quality_result(tmp_path, {"q1": (1_000, 50), "refused": (0, 0)})
    sample = tokens_of_result(path)
    assert (sample.asked, sample.generated) == (2, 1)
    assert sample.tokens.means() == (1_000, 50)
    with pytest.raises(InvalidInput, match="no question reached"):
        tokens_of_result(quality_result(tmp_path, {"refused": (0, 0)}))


def test_another_notebooks_result_is_refused_by_name(tmp_path: Path) -> None:
    path = write_result(NotebookResult(title="x", verdict="", n=1), tmp_path / "x.json")
    with pytest.raises(InvalidInput, match="no tokens"):
        tokens_of_result(path)
    with pytest.raises(InvalidInput, match="no hit rates"):
        hit_rates_of_result(path)


def test_a_result_that_is_named_must_be_there(tmp_path: Path) -> None:
    assert result_path("", tmp_path / "04_cost.json", "03_cache") == tmp_path / "03_cache.json"
    with pytest.raises(InvalidInput, match="Run 03_cache"):
        result_path(str(tmp_path / "nowhere.json"), tmp_path / "04_cost.json", "03_cache")


def test_numbers_of_users_are_read_or_refused() -> None:
    assert user_counts("10_000, 100 1000") == (100, 1_000, 10_000)
    for wrong in ("", "many", "0, 10"):
        with pytest.raises(InvalidInput, match="users"):
            user_counts(wrong)


def test_an_unknown_profile_is_refused() -> None:
    with pytest.raises(InvalidInput, match="smoke, full"):
        scale("fast")


def test_the_length_of_an_llms_answer_is_supposed_until_one_has_answered(tmp_path: Path) -> None:
    supposed = output_range(400)
    quoted = tokens_of_result(quality_result(tmp_path, {"q1": (1_000, 50), "q2": (1_200, 70)}))
    tokens = quoted.priced(supposed)
    assert isinstance(tokens, StatedTokens)
    assert (tokens.input.value, tokens.output) == (1_100, Estimate(200, 50, 400))
    written = tokens_of_result(quality_result(tmp_path, {"q1": (1_000, 50)}, "huggingface (llama)"))
    assert written.priced(supposed) is written.tokens
    with pytest.raises(InvalidInput, match="llm_output_tokens"):
        output_range(100, supposed=200)


def test_the_cost_of_questions_is_one_figure_and_supposed_lengths_have_no_target(
    cost_run: NotebookRun,
) -> None:
    (price,) = [each for each in result_of(cost_run).headlines if "1,000 questions" in each.name]
    assert price.simulated
    assert price.target is None
    assert "extractive" in price.meaning
