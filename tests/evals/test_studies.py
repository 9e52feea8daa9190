"""The studies of quality and retrieval, from a few golden questions to what the report shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from evals.cost.golden_tokens import golden_tokens
from evals.datasets.corpus import held_open
from evals.datasets.golden import load
from evals.datasets.golden_checks import validate
from evals.datasets.scaffold import scaffold
from evals.measures.scores import Unscored
from evals.project import project_settings
from evals.quality import pictures as quality_pictures
from evals.quality import study as quality
from evals.quality.cases import rightness
from evals.quality.result import quality_result
from evals.report.cards import GROUPS
from evals.results.result import read_result, write_result
from evals.retrieval import pictures as retrieval_pictures
from evals.retrieval import study as retrieval
from evals.retrieval.deployed import search_deployed
from evals.retrieval.result import plan_text, retrieval_result
from rag_core.adapters.postgres import HNSW_INDEX, IndexKind, index_vectors, never_sorting
from rag_core.bootstrap import assemble
from rag_core.domain import SearchMethod, SearchMode
from rag_core.errors import ConfigurationError, InvalidInput


async def test_every_question_is_asked_and_measured_and_shown_with_its_gold(
    sample: Path, tmp_path: Path
) -> None:
    assert validate(load(sample)) == []
    run = await quality.study(sample)
    out = tmp_path / "01_quality.json"
    draws = ("draw_funnel", "draw_answers", "draw_safety", "draw_scores", "draw_latency")
    pictures = [getattr(quality_pictures, draw)(run, out) for draw in draws]
    result = await quality_result(run, pictures)
    assert result.n == len(run.observations) == len(run.golden.questions)
    assert [seen.failure for seen in run.observations if seen.answer is None] == []
    headlines = {each.name: each.value for each in result.headlines}
    assert headlines["Isolation leaks"] == 0
    assert headlines["Attack questions refused"] == 1
    calls = {each.source: each.p50.n for each in run.latencies}
    assert calls["FRESH"] == calls["CACHED, memory"] == calls["CACHED, Valkey"] > 0
    assert calls["REFUSED"] > 0
    assert all(each.p95.value is None for each in run.latencies)
    dev = [seen for seen in run.observations if seen.question.split == "dev"]
    least = min(dev, key=lambda seen: (rightness(run, seen), seen.question.id))
    shown = result.cases[0]
    assert least.question.question == shown.summary
    assert {title for title, blocks in shown.columns if blocks} == {"Answer", "Hits", "Gold"}
    assert sorted(each.summary for each in result.cases) == sorted(
        question.question for question in run.golden.questions
    )
    assert [name for name, _ in shown.facets] == ["scenario", "split", "user", "outcome"]
    assert {each.group for each in result.headlines} == {None, *GROUPS}

    tokens = await golden_tokens(write_result(result, out))
    measured = await golden_tokens(tmp_path / "absent.json", sample)
    assert read_result(out).n == tokens.asked == measured.asked
    # A canary of its own may take another token or two.
    assert tokens.tokens.means() == pytest.approx(measured.tokens.means(), rel=0.01)
    assert tokens.extractive


async def test_with_a_provider_that_never_answers_nothing_was_measured(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals and quotes from the notes are not the provider's: n is 0, and the run fails."""
    monkeypatch.setenv("RAG_HF_BASE_URL", "http://127.0.0.1:9/v1")
    run = await quality.study(sample)
    assert any(seen.answer for seen in run.observations), "an attack is refused all the same"
    assert any("DEGRADED" in seen.failure for seen in run.observations)
    assert (await quality_result(run, [])).n == 0


async def test_both_searches_find_the_passages_and_the_plan_says_how(
    sample: Path, tmp_path: Path
) -> None:
    run = await retrieval.study(sample, profile="smoke")
    out = tmp_path / "02_retrieval.json"
    draws = (
        retrieval_pictures.draw_measures,
        retrieval_pictures.draw_modes,
        retrieval_pictures.draw_trade,
    )
    result = retrieval_result(run, [draw(run, out) for draw in draws])
    (golden,) = run.collections
    assert run.deployed.queries == golden.queries > 0
    assert result.n == 2 * golden.queries
    assert run.deployed.index == golden.runs[SearchMethod.EXACT].index
    assert golden.runs[SearchMethod.HNSW].index == HNSW_INDEX
    assert golden.runs[SearchMethod.EXACT].index != HNSW_INDEX
    assert HNSW_INDEX in plan_text(run)
    assert golden.overlap[5].value == 1
    assert sum(each.queries for each in run.modes) == golden.queries
    for each in run.modes:
        assert set(each.scores) == set(SearchMode)
        dense, hybrid = (each.scores[mode].rows["R@5"] for mode in ("dense", "hybrid"))
        change = each.differences[SearchMode.HYBRID, "R@5"]
        values = [hybrid[query].value - dense[query].value for query in dense]
        assert change.mean == pytest.approx(sum(values) / len(values))
    with pytest.raises(InvalidInput, match="profile"):
        await retrieval.study(profile="fast")


async def test_hnsw_without_its_index_fails_and_says_how_to_build_it(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_SEARCH_METHOD", "hnsw")
    with pytest.raises(ConfigurationError, match=r"no HNSW index.*rag_core index hnsw"):
        await retrieval.study(sample, profile="smoke")


async def test_a_plan_without_the_index_is_no_search_by_hnsw(
    sample: Path, own_database: str
) -> None:
    """Dropped behind the back of a running application, which looked for it when it began."""
    await retrieval.study(sample, profile="smoke")
    await index_vectors(own_database, IndexKind.HNSW)
    by_graph = {
        "database_url": SecretStr(never_sorting(own_database)),
        "search_method": SearchMethod.HNSW,
        "exact_up_to": 0,
    }
    hnsw = project_settings().model_copy(update=by_graph)
    golden = load(sample)
    async with held_open(hnsw) as settings, assemble(settings) as application:
        found = await search_deployed(application, settings, golden)
        assert found.index == HNSW_INDEX
        await index_vectors(own_database, IndexKind.NONE)
        with pytest.raises(ConfigurationError, match=f"not {HNSW_INDEX}.*index hnsw"):
            await search_deployed(application, settings, golden)


async def test_the_deployed_search_has_the_pipelines_own_hits_and_threshold(
    sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_TOP_K", "1")
    one = (await retrieval.study(sample, profile="smoke")).deployed
    assert one.k == 1
    monkeypatch.setenv("RAG_MIN_SCORE", "0.99")
    none = (await retrieval.study(sample, profile="smoke")).deployed
    assert {whole.value for whole in none.of_splits("R@5").values()} == {0.0}
    assert {whole.value for whole in one.of_splits("R@5").values()} != {0.0}


async def test_the_scaffold_goes_from_notes_to_results(sample: Path, tmp_path: Path) -> None:
    """One split, no attacks file, no passages: all three studies have something to say."""
    scaffold(tmp_path / "mine")
    run = await quality.study(tmp_path / "mine")
    result = await quality_result(run, [])
    headlines = {each.name: each for each in result.headlines}
    assert headlines["Facts stated"].split == "dev"
    assert headlines["Facts found"].value == 1
    assert headlines["Attack questions refused"].value == 1
    assert headlines["Isolation leaks"].value == 0
    searched = retrieval_result(await retrieval.study(tmp_path / "mine"), [])
    assert {each.name: each.value for each in searched.headlines}["Recall@5, as deployed"]
    assert (await golden_tokens(write_result(result, tmp_path / "01.json"))).generated > 0


async def test_a_folder_with_nothing_but_two_bare_questions_is_measured(
    sample: Path, tmp_path: Path
) -> None:
    """No scenario but two, no facts: what cannot be scored says why, and nothing fails."""
    folder = tmp_path / "bare"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "eve.jsonl").write_text(
        '{"id": "n", "title": "Bread", "body": "Bread is baked on Friday morning."}\n'
    )
    (folder / "questions.jsonl").write_text(
        '{"id": "a", "user": "eve", "question": "When is bread baked?",'
        ' "reference": "On Friday morning.", "gold": ["n"]}\n'
        '{"id": "b", "user": "eve", "question": "Who won the cup?"}\n'
    )
    run = await quality.study(folder)
    out = tmp_path / "01.json"
    draws = ("draw_funnel", "draw_answers", "draw_safety", "draw_scores", "draw_latency")
    pictures = [getattr(quality_pictures, draw)(run, out) for draw in draws]
    result = await quality_result(run, pictures)
    headlines = {each.name: each for each in result.headlines}
    assert headlines["Facts stated"].value is None
    assert run.summary.rows["facts_found"]["a"] == Unscored("the question has no fact")
    assert "Attack questions refused" not in headlines, "nothing was asked of it"
    assert headlines["Citation recall"].n == 1


async def test_a_folder_with_a_mistake_is_refused_with_its_line(tmp_path: Path) -> None:
    scaffold(tmp_path / "mine")
    questions = tmp_path / "mine" / "questions.jsonl"
    questions.write_text(questions.read_text().replace("2024-03-10", "2024-03-11"))
    with pytest.raises(InvalidInput, match=r"questions\.jsonl:2, field gold.*evals validate"):
        await quality.study(tmp_path / "mine")


async def test_notes_that_only_the_store_has_are_named_before_anything_is_asked(
    sample: Path, tmp_path: Path
) -> None:
    scaffold(tmp_path / "mine")
    await quality.study(tmp_path / "mine")
    notes = tmp_path / "mine" / "notes" / "ben.jsonl"
    notes.write_text(notes.read_text().replace('"id": "2024-04-07"', '"id": "thomas"'))
    questions = tmp_path / "mine" / "questions.jsonl"
    questions.write_text(questions.read_text().replace("2024-04-07", "thomas"))
    with pytest.raises(InvalidInput, match=r"'2024-04-07'.*delete 2024-04-07 --user ben"):
        await quality.study(tmp_path / "mine")
