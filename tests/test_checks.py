"""The checks of `make check` that are our own: they find what they are there for."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[1] / ".ci"


@pytest.fixture
def docstrings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`.ci/docstrings.py`."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("docstrings")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`.ci/house.py`."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return import_module("house")


def problems(docstrings: Any, source: str) -> list[str]:
    """What is said of a file in which everything is public."""
    module = docstrings.Module("a.py", source)
    checker = docstrings.Checker([module])
    checker.check(module, {"ask", "Asker", "LIMIT"})
    return [problem.partition(": ")[2] for problem in checker.problems]


@pytest.mark.parametrize(
    "body",
    [
        "    raise InvalidInput('question', 'is empty')",
        "    _check()\n\ndef _check():\n    raise InvalidInput('question', 'is empty')",
        "    raise _problem()\n\ndef _problem() -> InvalidInput:\n    ...",
        "    try:\n        _check()\n    except KeyError:\n        raise InvalidInput('a', 'b')",
    ],
)
def test_an_error_that_leaves_a_function_must_be_said(docstrings: Any, body: str) -> None:
    said = 'def ask():\n    """Ask.{}"""\n' + body
    assert problems(docstrings, said.format("")) == [
        "ask: raises InvalidInput, which the docstring does not say"
    ]
    assert problems(docstrings, said.format("\n\n    Raises:\n        RagError: so.\n    ")) == []


def test_an_error_that_is_caught_need_not_be_said(docstrings: Any) -> None:
    caught = "    try:\n        raise InvalidInput('a', 'b')\n    except RagError:\n        pass"
    assert problems(docstrings, f'def ask():\n    """Ask."""\n{caught}') == []


def test_an_error_that_does_not_exist_must_not_be_said(docstrings: Any) -> None:
    said = 'def ask():\n    """Ask.\n\n    Raises:\n        NoSuchError: never.\n    """'
    assert problems(docstrings, said) == ["ask: Raises names NoSuchError, which does not exist"]


@pytest.mark.parametrize(
    ("parameter", "docstring"),
    [
        ("wait_s: float", "Ask."),
        ("retries: int", "Ask."),
        ("wait: float", "Ask; `wait` in seconds."),
        ("rows: NDArray", "Ask float32[n, 384]."),
        ("rows: DataFrame", "Ask; columns: ttl_s, figure."),
        ("name: str", "Ask."),
    ],
)
def test_a_unit_or_a_shape_is_enough(docstrings: Any, parameter: str, docstring: str) -> None:
    assert problems(docstrings, f'def ask({parameter}):\n    """{docstring}"""') == []


@pytest.mark.parametrize(
    ("parameter", "problem"),
    [
        ("wait: float", "wait is a number without a unit"),
        ("much: int | None", "much is a number without a unit"),
        ("table: DataFrame", "table is an array without shape or columns"),
        ("vector: NDArray[np.float32]", "vector is an array without shape or columns"),
    ],
)
def test_a_number_needs_a_unit_and_an_array_a_shape(
    docstrings: Any, parameter: str, problem: str
) -> None:
    function = f'def ask({parameter}):\n    """Ask."""'
    assert problems(docstrings, function) == [f"ask: {problem}"]
    fields = f'class Asker:\n    """Asks."""\n\n    {parameter}'
    (found,) = problems(docstrings, fields)
    assert found.endswith(problem)


def test_an_alias_that_says_its_shape_says_it_for_all_uses(docstrings: Any) -> None:
    alias = 'Vector = NDArray[np.float32]\n"""{}"""\n\ndef ask(vector: Vector):\n    """Ask."""'
    assert problems(docstrings, alias.format("float32[384], unit length.")) == []
    assert problems(docstrings, alias.format("Numbers.")) != []


@pytest.mark.parametrize("said", ["# Measured.\nLIMIT = 3", 'LIMIT = 3\n"""Measured."""'])
def test_a_constant_says_where_its_value_comes_from(docstrings: Any, said: str) -> None:
    assert problems(docstrings, said) == []
    assert problems(docstrings, "LIMIT = 3") == ["LIMIT: says not where its value comes from"]


def test_lines_of_code_are_counted_without_comments_docstrings_and_blanks(house: Any) -> None:
    source = '"""Docstring."""\n\n# Comment.\nA = (\n    1,\n)\n"""Of A."""\nB = """\ntext\n"""\n'
    assert house.code_lines(source) == 6


def test_a_functions_length_is_without_decorators_and_docstring(house: Any) -> None:
    source = '@cached\ndef f(\n    x,\n):\n    """Long\n    docstring."""\n    return x\n'
    stub = 'def g():\n    """Stub."""\n    ...\n'
    assert list(house.functions({"a.py": source + stub})) == [(4, "a.py: f")]
