"""The lint of notebooks, and that our own pass it."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest

from evals.project import NOTEBOOKS
from evals.run.notebook_lint import clear_folder, lint, lint_folder
from rag_core.errors import InvalidInput
from tests.evals.run.notebook_files import (
    PARAMETERS,
    code,
    markdown,
    small_notebook,
    write_notebook,
)


def problems(tmp_path: Path, *cells: dict[str, Any]) -> list[str]:
    return list(lint(write_notebook(tmp_path / "01_a.ipynb", cells)))


def test_the_notebooks_of_the_project_are_clean() -> None:
    assert lint_folder(NOTEBOOKS) == []


def test_a_story_with_parameters_and_calls_is_clean(tmp_path: Path) -> None:
    path = small_notebook(tmp_path, "run = await measure(profile)", "run.table")
    assert list(lint(path)) == []


def test_what_does_not_belong_into_a_notebook_is_named(tmp_path: Path) -> None:
    for cell, problem in [
        (code("1", execution_count=3), "cell 3 has an execution count"),
        (
            code("1", outputs=[{"output_type": "stream", "name": "stdout", "text": "1"}]),
            "cell 3 has outputs",
        ),
        (code("x = 1\ndef f():\n    pass"), "line 2 defines a function"),
        (code("class A:\n    pass"), "line 1 defines a function or class"),
        (code("f = lambda: 1"), "line 1 defines a function"),
        (code("1 +"), "cell 3 is not Python"),
        (code("Markdown(result.verdict)"), "line 1 shows Markdown"),
        (markdown("From $5 a day to $100."), "cell 3 has two dollar signs"),
    ]:
        [found] = problems(tmp_path, markdown(), code(PARAMETERS, ["parameters"]), cell)
        assert problem in found


def test_one_dollar_sign_and_those_in_code_are_fine(tmp_path: Path) -> None:
    text = markdown("It costs $5, written `$5` or `$6`.")
    assert problems(tmp_path, markdown(), code(PARAMETERS, ["parameters"]), text) == []


def test_every_parameter_has_a_comment(tmp_path: Path) -> None:
    [found] = problems(tmp_path, markdown(), code(f"{PARAMETERS}\nseed = 0", ["parameters"]))
    assert "'seed' has no comment" in found


def test_a_hash_within_a_string_is_no_comment(tmp_path: Path) -> None:
    [found] = problems(tmp_path, markdown(), code(f'{PARAMETERS}\nx = "#"', ["parameters"]))
    assert "parameter 'x' has no comment" in found


def test_the_parameters_that_the_runner_sets_must_be_there(tmp_path: Path) -> None:
    found = problems(tmp_path, markdown(), code("seed = 0  # of what", ["parameters"]))
    assert found == ["has no parameter 'profile'", "has no parameter 'out_path'"]


def test_a_notebook_without_parameters_or_story_is_named(tmp_path: Path) -> None:
    found = problems(tmp_path, code("1"))
    assert found == [
        "does not begin with Markdown that says what it is about",
        "has 0 cells tagged 'parameters', needs one",
    ]


def test_a_broken_notebook_is_one_problem(tmp_path: Path) -> None:
    path = tmp_path / "01_a.ipynb"
    path.write_text("{}")
    [found] = lint(path)
    assert "not a valid notebook" in found


def test_a_folder_without_notebooks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no notebooks"):
        lint_folder(tmp_path)


def test_what_a_run_left_is_named_with_the_command_that_clears_it(tmp_path: Path) -> None:
    """The command clears it, and touches nothing that was clean."""
    left = [{"output_type": "stream", "name": "stdout", "text": "1"}]
    path = small_notebook(tmp_path, "run.table")
    clean = json.loads(path.read_text())
    assert clear_folder(tmp_path) == []

    notebook = copy.deepcopy(clean)
    notebook["cells"][-1] |= {"outputs": left, "execution_count": 7}
    notebook["cells"][-1]["metadata"] = {"collapsed": True}
    notebook["metadata"]["widgets"] = {"state": {}}
    notebook["metadata"]["language_info"]["version"] = "3.12.1"
    path.write_text(json.dumps(notebook))
    assert all("python -m evals lint --fix" in problem for problem in lint_folder(tmp_path))
    assert clear_folder(tmp_path) == [path.name]
    assert list(lint(path)) == []
    cleared = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert cleared == nbformat.from_dict(clean)  # type: ignore[no-untyped-call]


def test_clearing_leaves_the_notebooks_of_the_project_as_they_are(tmp_path: Path) -> None:
    for path in NOTEBOOKS.glob("*.ipynb"):
        shutil.copy(path, tmp_path)
    assert clear_folder(tmp_path) == []


def test_a_broken_notebook_is_not_cleared(tmp_path: Path) -> None:
    path = tmp_path / "01_a.ipynb"
    path.write_text("{ no notebook")
    assert clear_folder(tmp_path) == []
    assert path.read_text() == "{ no notebook"
