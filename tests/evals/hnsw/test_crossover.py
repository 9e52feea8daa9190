"""Where a scan stops being faster than the graph."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.__main__ import main
from evals.hnsw import crossover_command, embedded
from evals.hnsw.crossover import Compared, Crossover, measure_crossover
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.errors import InvalidInput
from tests.evals.hnsw.unit_vectors import unit_vectors


def compared(chunks: int, times: float) -> Compared:
    """A scan that takes so many times what the graph takes."""
    return Compared(chunks, [times], [1.0])


@pytest.mark.parametrize(
    ("times", "up_to"),
    [
        ((0.25, 0.5, 2.0), 2000),  # half way between 1,000 and 4,000, by their logarithms
        ((0.25, 0.5, 0.9), 4000),
        ((0.25, 4.0, 8.0), 500),
        ((1.1, 2.0, 4.0), 0),
        ((0.5, 1.0, 4.0), 1000),
    ],
)
def test_it_is_where_the_lines_cross(times: tuple[float, ...], up_to: int) -> None:
    sizes = (250, 1000, 4000)
    found = Crossover([compared(*each) for each in zip(sizes, times, strict=True)])
    assert found.exact_up_to == pytest.approx(up_to, abs=1)


@pytest.mark.parametrize("sizes", [(), (20, 10), (10, 10), (3, 20), (500, 600)])
async def test_sizes_that_do_not_grow_or_are_more_than_there_is_are_refused(
    sizes: tuple[int, ...],
) -> None:
    rows = unit_vectors(40, seed=1)
    with pytest.raises(InvalidInput, match="sizes"):
        await measure_crossover(
            rows, rows[:2], sizes, passes=1, m=8, ef_construction=32, ef_search=40
        )


def test_the_command_measures_both_ways_and_writes_the_setting_beside_others(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(embedded, "load_embedder", lambda *_, **__: HashingEmbedder())
    monkeypatch.setattr(crossover_command, "GOLDEN", sample)
    kept = tmp_path / ".env"
    kept.write_text("# mine\nRAG_TOP_K=7\nRAG_EXACT_UP_TO=123456\n")
    told = ["--sizes", "10,40", "--questions", "3", "--passes", "2", "--write", str(kept)]
    assert main(["crossover", *told]) == 0
    said = capsys.readouterr().out
    (setting,) = [line for line in said.splitlines() if line.startswith("RAG_EXACT_UP_TO=")]
    assert int(setting.partition("=")[2]) in range(41)
    assert kept.read_text() == f"# mine\nRAG_TOP_K=7\n{setting}\n"
    assert said.count("recall@5: 1.000") == 2  # so few rows: the graph finds all


def test_mistyped_sizes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["crossover", "--sizes", "ten"]) == 2
    assert "must be numbers and commas, got 'ten'" in capsys.readouterr().err
