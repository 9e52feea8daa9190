"""Calibration on a small collection, over a real Postgres and the hashing embedder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from evals.measures.retrieval import collapse
from evals.retrieval.calibrate import Calibration, calibrate
from evals.retrieval.calibration_report import as_json, as_text
from evals.retrieval.search_runs import SearchRun
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import SearchMethod, SearchMode
from rag_core.errors import InvalidInput
from rag_core.settings import Settings
from tests.evals.measures.observed import BODIES, hit
from tests.rag_core.library import OtherEmbedder

DOCUMENTS = {
    "d1": ("Noah", "Noah built an ark of gopher wood before the flood came."),
    "d2": ("Ruth", "Ruth gleaned barley in the field of Boaz until evening."),
    "d3": ("", "David played the harp and king Saul felt relief."),
    "d4": ("Jonah fled to Tarshish aboard a ship", ""),
}
QUERIES = {"q1": "gopher wood ark", "q2": "barley field of Boaz", "q3": "Jonah ship Tarshish"}
JUDGED = {"q1": "d1", "q2": "d2", "q3": "d4"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A collection in BEIR's layout, whose name no other test uses."""
    folder = tmp_path / f"small-{tmp_path.name}"
    (folder / "qrels").mkdir(parents=True)
    documents = [{"_id": i, "title": t, "text": x} for i, (t, x) in DOCUMENTS.items()]
    queries = [{"_id": i, "text": text} for i, text in QUERIES.items()]
    for name, rows in (("corpus", documents), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    judgements = [f"{query}\t{document}\t1" for query, document in JUDGED.items()]
    (folder / "qrels" / "test.tsv").write_text(
        "\n".join(["query-id\tcorpus-id\tscore", *judgements])
    )
    return folder


@pytest.fixture
def settings(own_database: str, tmp_path: Path) -> Settings:
    """Over a database of the test's own: what others left in an index is no part of this."""
    return Settings(database_url=SecretStr(own_database), home=tmp_path / "home", cache="memory")


async def run(folder: Path, settings: Settings, *, chunked: bool = False) -> list[Calibration]:
    return await calibrate(
        folder, list(SearchMethod), settings, chunked=chunked, embedder=HashingEmbedder()
    )


@pytest.mark.parametrize("mode", [SearchMode.LEXICAL, SearchMode.HYBRID])
async def test_the_mode_of_the_settings_is_the_one_that_is_scored(
    folder: Path, settings: Settings, mode: SearchMode
) -> None:
    changed = settings.model_copy(update={"search_mode": mode})
    systems = [SearchMethod.EXACT]
    (each,) = await calibrate(folder, systems, changed, embedder=HashingEmbedder())
    assert each.mode is mode
    assert each.measures["nDCG@10"].value == pytest.approx(1.0)
    assert f"{mode} exact" in as_text([each])


def test_documents_are_ranked_as_they_were_found_whatever_their_cosine() -> None:
    hits = {
        "q": [hit(BODIES["ann"]["n1"], score=0.1), hit("upon mount Ararat", note="n2", score=0.9)]
    }
    run = SearchRun(SearchMethod.EXACT, hits, {"q": 1.0}, [])
    assert collapse(run.documents()["q"]) == ["n1", "n2"]


async def test_both_searches_are_scored_proved_paced_and_told(
    folder: Path, settings: Settings
) -> None:
    """Every query finds its document first, the one that has only a title too."""
    calibrations = await run(folder, settings)
    exact, hnsw = calibrations
    for each in calibrations:
        assert each.measures["nDCG@10"].value == pytest.approx(1.0)
        assert each.measures["nDCG@10"].n == len(QUERIES)
        assert each.documents == len(DOCUMENTS)
    assert hnsw.index == "chunk_vectors_hnsw"
    assert exact.index != hnsw.index
    assert " on chunk_vectors_hnsw (" in hnsw.plan
    assert exact.throughput is not None
    assert exact.throughput.ingest_texts == len(DOCUMENTS)
    assert exact.throughput.ratio > 0
    _table_and_json_say_the_same(calibrations)
    again = await run(folder, settings)
    assert again[0].throughput is None, "the documents were stored before"
    assert "stored before" in as_text(again)
    assert again[0].measures == exact.measures


def _table_and_json_say_the_same(calibrations: list[Calibration]) -> None:
    text, objects = as_text(calibrations), json.loads(json.dumps(as_json(calibrations)))
    assert "no reference is known" in text
    assert "hnsw minus exact" in text
    for each in objects:
        assert f"{each['measures']['ndcg_at_10']['value']:.4f}" in text
        assert each["measures"]["ndcg_at_10"]["n"] == len(QUERIES)
        assert each["plan"]


async def test_other_documents_are_another_user(folder: Path, settings: Settings) -> None:
    """A document that is gone from the folder takes no rank any more."""
    corpus = folder / "corpus.jsonl"
    rows = [json.loads(line) for line in corpus.read_text().splitlines()]
    rival = {"_id": "d0", "title": "gopher wood ark", "text": "gopher wood ark"}
    corpus.write_text("\n".join(map(json.dumps, [rival, *rows])))
    before, _ = await run(folder, settings)
    corpus.write_text("\n".join(map(json.dumps, rows)))
    after, _ = await run(folder, settings)
    assert before.measures["RR@10"].value == pytest.approx((0.5 + 1 + 1) / 3)
    assert after.measures["RR@10"].value == pytest.approx(1.0)


async def test_another_embedder_is_another_user(folder: Path, settings: Settings) -> None:
    """The store holds the collection by the first one, and is asked by the second."""
    await run(folder, settings)
    again = await calibrate(folder, list(SearchMethod), settings, embedder=OtherEmbedder())
    assert [each.measures["nDCG@10"].value for each in again] == pytest.approx([1.0, 1.0])


async def test_chunked_ranks_documents_by_their_best_chunk(
    folder: Path, settings: Settings
) -> None:
    found = await run(folder, settings, chunked=True)
    assert [each.chunking.partition("-")[0] for each in found] == ["whole"] * 2 + ["sentences"] * 2
    assert found[2].measures["nDCG@10"].value == pytest.approx(1.0)


async def test_a_folder_that_is_no_collection_is_refused(
    tmp_path: Path, settings: Settings
) -> None:
    with pytest.raises(InvalidInput, match=r"corpus\.jsonl"):
        await run(tmp_path / "none", settings)
