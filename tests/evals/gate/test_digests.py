"""A notebook's figures are compared with references through JSON, within a tolerance."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from evals.gate.digests import SAME, STABLE, compared, differences, write_copies, write_references
from evals.results.result import Headline, NotebookResult, write_result

RESULT = NotebookResult(
    title="Cost",
    verdict="Cheap.",
    n=7,
    headlines=(
        Headline(name="Dollars", meaning="", value=0.25, n=7, unit="usd"),
        Headline(name="Median", meaning="", value=12.0, n=7, unit="ms"),
    ),
)


@pytest.fixture
def references(tmp_path: Path) -> Path:
    write_result(RESULT, tmp_path / "run" / "06_safety.json")
    write_references(tmp_path / "run", tmp_path / "digests")
    return tmp_path / "digests"


def changed(tmp_path: Path, value: float) -> Path:
    headlines = (replace(RESULT.headlines[0], value=value), replace(RESULT.headlines[1], value=99))
    return write_result(replace(RESULT, headlines=headlines), tmp_path / "out.json")


def test_a_time_is_no_figure_and_the_last_digits_do_not_count(
    tmp_path: Path, references: Path
) -> None:
    assert compared("06_safety", changed(tmp_path, 0.2501), references) == SAME


def test_another_figure_is_named(tmp_path: Path, references: Path) -> None:
    said = compared("06_safety", changed(tmp_path, 0.26), references)
    assert said == "Dollars: 0.25 → 0.26"


def test_a_figure_that_is_gone_or_new_differs() -> None:
    assert differences({"a": 1.0}, {"b": None}) == ["a: 1.0 → missing", "b: missing → None"]


def test_a_copy_has_its_parameters_and_ends_with_the_check(tmp_path: Path) -> None:
    copies = write_copies(tmp_path)
    assert [path.stem for path in copies] == list(STABLE)
    notebook = nbformat.read(copies[0], as_version=4)
    nbformat.validate(notebook)
    sources = [cell.source for cell in notebook.cells]
    place = next(n for n, cell in enumerate(notebook.cells) if cell.metadata.get("tags"))
    assert sources[place + 1].startswith("profile = 'smoke'\nout_path = ")
    assert sources[-1].startswith("# NBVAL_CHECK_OUTPUT")
    assert notebook.cells[-1].outputs[0].text == f"{SAME}\n"
    assert notebook.cells[-1].execution_count, "nbval refuses outputs of a cell that never ran"
