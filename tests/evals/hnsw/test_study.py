"""A study of a few rows from end to end: what it says is of what was measured."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from evals.bench import search
from evals.hnsw import embedded
from evals.hnsw.grid import GRIDS, LARGEST, Build, Kept, Kind
from evals.hnsw.headlines import headlines
from evals.hnsw.limit import Limit, measure_limit
from evals.hnsw.pictures import draw_all
from evals.hnsw.result import grid_table, hnsw_result
from evals.hnsw.run import HnswRun
from evals.hnsw.study import Asked, study
from evals.hnsw.timing import quantile
from evals.measures.scores import Unscored
from evals.results.result import read_result, write_result
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.errors import InvalidInput
from tests.evals.hnsw.unit_vectors import unit_vectors

SMALL = replace(
    GRIDS["smoke"], sizes=(60,), ef_search=(100,), rows_a_list=(20,), probed=(1.0,), passes=10,
    last_passes=5, clients=(1, 2),
)  # fmt: skip


@pytest.fixture
def hashed(sample: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small golden folder, and vectors that need no model."""
    monkeypatch.setattr(embedded, "load_embedder", lambda *_, **__: HashingEmbedder())
    return sample


async def _run(golden: Path) -> HnswRun:
    return await study(Asked(golden=golden, grid=SMALL))


async def test_a_study_measures_every_part_and_is_drawn_and_told(
    hashed: Path, tmp_path: Path
) -> None:
    run = await _run(hashed)
    assert {each.setting.kind for each in run.tried} == set(Kind)
    assert {each.share for each in run.tried} == {1.0}  # so few rows: every kind finds all
    assert {(each.tenant, each.clients) for each in run.seen} >= {(LARGEST, 1), (LARGEST, 2)}
    assert {each.short for each in run.seen} == {0}
    assert [each.recall.value for each in run.churned.stages] == [1.0] * 4
    assert run.overhead.recall.value == 1.0
    assert run.overhead.index == "chunk_vectors_hnsw"

    out = tmp_path / "hnsw.json"
    pictures = draw_all(run, out)
    result = read_result(write_result(hnsw_result(run, pictures), out))
    assert result.n > 0
    assert "At 60 rows" in pictures[0].alt
    assert len(grid_table(run).rows) == len(run.tried)
    targets = [each.target for each in headlines(run)]
    assert set(targets) == {None}, "the requirement's bars are of 10,000 rows"
    assert "60 rows" in result.verdict


async def test_the_bench_prints_a_figure_for_each_headline(
    hashed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "made", lambda *_: sys.executable)
    figures = {figure.name: figure for figure in await search.measured(SMALL, hashed)}
    assert any("IVFFlat" in name for name in figures)
    limit = figures["rag_core's search over hnswlib's, p50"]
    assert "not measured" in limit.measured
    assert "hnswlib" in limit.measured


def test_an_unknown_profile_is_refused_with_those_there_are() -> None:
    with pytest.raises(InvalidInput, match="smoke, full, bench"):
        Asked(golden=Path(), profile="fast")


def test_no_quantile_of_too_few_values() -> None:
    assert quantile([1.0] * 99, 0.95) is None
    assert quantile([1.0] * 100, 0.95) == 1.0
    assert quantile([1.0] * 499, 0.99) is None
    assert quantile([1.0] * 500, 0.99) == 1.0


def test_a_python_without_hnswlib_is_a_reason_and_no_number(tmp_path: Path) -> None:
    build, vectors = Build(Kind.HNSW, Kept.VECTOR, m=16, ef_construction=64), unit_vectors(20)
    for python in (Path(sys.executable), tmp_path / "nowhere"):
        found = measure_limit(python, build, 40, vectors, vectors[:2], passes=1)
        assert isinstance(found, Unscored)
        assert "hnswlib" in found.reason or "nowhere" in found.reason


def test_what_hnswlib_says_is_held_against_the_oracle(tmp_path: Path) -> None:
    """A stand-in for the interpreter: what is read is what the process prints."""
    told = {"built_s": 1.5, "ms": [0.1] * 500, "rows": [[0, 1, 2, 3, 4]], "bytes": 7}
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{json.dumps(told)}'\n")
    python.chmod(0o755)
    build, vectors = Build(Kind.HNSW, Kept.VECTOR, m=16, ef_construction=64), unit_vectors(5)
    found = measure_limit(python, build, 40, vectors, vectors[:1], passes=1)
    assert isinstance(found, Limit)
    assert found.recall.value == 1.0
    assert found.quantile_ms(0.99) == 0.1
