"""The contract between notebooks and the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.measures.scores import Scored, Unscored, aggregate, count_events
from evals.results.result import (
    Block,
    Case,
    Headline,
    NotebookResult,
    Picture,
    Status,
    Table,
    headline,
    read_result,
    write_result,
)
from rag_core.errors import InvalidInput


def result(**changes: object) -> NotebookResult:
    parts: dict[str, object] = {"title": "T", "verdict": "V", "n": 1}
    return NotebookResult(**(parts | changes))  # type: ignore[arg-type]


def number(value: float | None, **changes: object) -> Headline:
    parts: dict[str, object] = {"name": "N", "meaning": "M", "n": 5}
    return Headline(value=value, **(parts | changes))  # type: ignore[arg-type]


def test_what_is_written_is_read_back_whole(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "p.png").write_bytes(b"png")
    whole = result(
        headlines=(number(0.5, low=0.4, high=0.6, unit="share", target=0.9, key=True),),
        pictures=(Picture("p.png", "P", "c"),),
        tables=(Table("T", ("a", "b"), (("x", 1), (None, 0.5))),),
        cases=(Case("C", "s", (("Answer", (Block("h", "t", "bad"),)),), (("score", 0.1),)),),
        facts={"index": "hnsw"},
        data={"rows": [1, 2]},
    )
    path = write_result(whole, tmp_path / "deep" / "r.json")
    assert read_result(path) == whole


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_number_that_is_none_never_becomes_a_headline(value: float) -> None:
    with pytest.raises(ValueError, match="N: value must be a finite number"):
        number(value)


def test_a_row_must_fit_its_columns() -> None:
    with pytest.raises(ValueError, match="a row has 1 cells, not 2"):
        Table("T", ("a", "b"), (("x",),))


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"value": 0.95, "target": 0.9}, "good"),
        ({"value": 0.85, "low": 0.8, "high": 0.92, "target": 0.9}, "watch"),
        ({"value": 0.8, "low": 0.7, "high": 0.89, "target": 0.9}, "bad"),
        ({"value": 0.8, "target": 0.9}, "bad"),
        ({"value": 0.1, "low": 0.0, "high": 0.3, "target": 0.0, "better": "lower"}, "watch"),
        ({"value": 0.0, "target": 0.0, "better": "lower"}, "good"),
        ({"value": 0.2, "low": 0.1, "high": 0.3, "target": 0.0, "better": "lower"}, "bad"),
        ({"value": None, "target": 0.9}, "unknown"),
        ({"value": 0.8}, "plain"),
    ],
)
def test_a_headline_is_judged_by_its_aim_and_its_interval(
    changes: dict[str, object], status: Status
) -> None:
    assert number(**changes).status == status  # type: ignore[arg-type]


def test_a_headline_of_an_aggregate_keeps_interval_and_counts() -> None:
    found = aggregate("cost", [Scored(0.001), Scored(0.003), Unscored("timeout")] * 9)
    made = headline(found, "Cost", "M", unit="usd", times=1000)
    assert made.value == pytest.approx(2)
    assert found.low is not None
    assert found.high is not None
    assert (made.low, made.high) == (found.low * 1000, found.high * 1000)
    assert (made.n, made.unscored, made.reasons) == (18, 9, {"timeout": 9})


def test_a_headline_of_a_count_is_its_events() -> None:
    assert headline(count_events("leaks", [Scored(0), Scored(3)]), "Leaks", "M").value == 3


def test_events_that_could_not_be_looked_for_are_unknown_and_not_zero() -> None:
    assert headline(count_events("leaks", []), "Leaks", "M").value is None


def test_a_notebook_that_wrote_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="wrote no result"):
        read_result(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"n": "many"}, r"\$\.n"),
        ({"headlines": [{"name": "x"}]}, r"\$\.headlines\[0\]"),
        (
            {"headlines": [{"name": "x", "meaning": "m", "n": 1, "value": 1, "unit": "miles"}]},
            "unit",
        ),
    ],
)
def test_a_result_that_breaks_the_contract_names_the_field(
    tmp_path: Path, change: dict[str, object], field: str
) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"title": "T", "verdict": "V", "n": 1} | change))
    with pytest.raises(InvalidInput, match=field):
        read_result(path)


def test_the_folders_above_a_result_are_made(tmp_path: Path) -> None:
    assert write_result(result(), tmp_path / "new" / "er" / "r.json").is_file()


def test_a_picture_that_is_not_there_is_refused_on_both_sides(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(b"png")
    path = write_result(result(pictures=(Picture("p.png", "P"),)), tmp_path / "r.json")
    (tmp_path / "p.png").unlink()
    with pytest.raises(InvalidInput, match=r"p\.png"):
        read_result(path)
    with pytest.raises(InvalidInput, match=r"p\.png"):
        write_result(result(pictures=(Picture("p.png", "P"),)), tmp_path / "r.json")
