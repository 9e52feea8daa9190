"""Finding notebooks and giving them their parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.run.notebooks import (
    Notebook,
    check_known,
    discover,
    parse_parameter,
    values_for,
)
from rag_core.errors import InvalidInput
from tests.evals.run.notebook_files import small_notebook, write_notebook


def test_notebooks_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10_late", "02_search", "01_quality", "draft"):
        small_notebook(tmp_path, name=name)
    assert [found.name for found in discover(tmp_path)] == ["01_quality", "02_search", "10_late"]


def test_only_takes_a_notebook_by_either_name(tmp_path: Path) -> None:
    for only in ["quality", "01_quality", "01_quality.ipynb"]:
        for name in ("01_quality", "02_search"):
            small_notebook(tmp_path, name=name)
        assert [found.name for found in discover(tmp_path, only)] == ["01_quality"]


def test_an_unknown_notebook_is_refused_with_what_may_be_meant(tmp_path: Path) -> None:
    small_notebook(tmp_path, name="01_quality")
    with pytest.raises(InvalidInput, match="Did you mean '01_quality'"):
        discover(tmp_path, "01_qualty")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no notebooks"):
        discover(tmp_path)


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "01_broken.ipynb").write_text("not JSON")
    with pytest.raises(InvalidInput, match=r"01_broken\.ipynb"):
        discover(tmp_path)


def test_parameters_are_read_from_the_tagged_cell(tmp_path: Path) -> None:
    small_notebook(tmp_path)
    assert set(discover(tmp_path)[0].parameters) == {"profile", "out_path"}


def test_a_mistyped_parameter_is_refused_and_the_right_one_named() -> None:
    """papermill itself would warn, run without it, and exit 0."""
    notebooks = [Notebook(Path("01_a.ipynb"), {"seed": "0", "profile": "'full'"})]
    with pytest.raises(InvalidInput, match="Did you mean 'seed'"):
        check_known(["sed"], notebooks)
    check_known(["seed"], notebooks)


def test_a_notebook_gets_only_the_parameters_that_it_takes() -> None:
    notebook = Notebook(Path("01_a.ipynb"), {"profile": "", "out_path": ""})
    assert values_for(notebook, {"profile": "full", "seed": 1}, ["profile"]) == {"profile": "full"}


def test_a_notebook_without_a_required_parameter_is_refused(tmp_path: Path) -> None:
    write_notebook(tmp_path / "01_a.ipynb", [])
    with pytest.raises(InvalidInput, match="has no parameter 'profile'"):
        values_for(discover(tmp_path)[0], {}, ["profile"])


def test_a_parameter_is_a_python_literal_or_else_text() -> None:
    for text, value in [
        ("seed=7", 7),
        ("rate=0.5", 0.5),
        ("sure=True", True),
        ("name=law", "law"),
        ("name='7'", "7"),
        ("name=a=b", "a=b"),
        ("name=", ""),
        ("name=[1]", "[1]"),
        ("name=false", False),
        ("name=True", True),
    ]:
        assert parse_parameter(text)[1] == value


def test_what_is_no_parameter_is_refused(subtests: pytest.Subtests) -> None:
    for text in ["seed", "=7", "a b=7", ""]:
        with subtests.test(text=text), pytest.raises(InvalidInput, match="NAME=VALUE"):
            parse_parameter(text)


def test_several_notebooks_are_named_with_commas(tmp_path: Path) -> None:
    for name in ("01_first", "02_second", "03_third"):
        small_notebook(tmp_path, "1", name=name)
    assert [each.name for each in discover(tmp_path, "third,01_first")] == ["01_first", "03_third"]
    with pytest.raises(InvalidInput, match="'fourth'"):
        discover(tmp_path, "third,fourth")
