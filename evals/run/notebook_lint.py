"""Lint for notebooks: a story, parameters with help, calls into evals, nothing left from a run."""

from __future__ import annotations

import ast
import copy
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import nbformat

from evals.run.notebooks import PATTERN
from rag_core.errors import InvalidInput

Cell = Mapping[str, Any]
REQUIRED = ("profile", "out_path")
"""Parameters that every notebook has: the runner sets them."""

CLEAR = "To clear what a run left, save it and run: python -m evals lint --fix"

_PARSE = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
_INLINE_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
_MARKDOWN = ("Markdown", "Latex", "Math")
_LOGIC = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def lint_folder(folder: Path) -> list[str]:
    """Every problem of every notebook in `folder`, a line each.

    Raises:
        InvalidInput: there is no notebook.
    """
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        raise InvalidInput(str(folder), "holds no notebooks", f"They are named {PATTERN}")
    return [f"{path.name}: {problem}" for path in paths for problem in lint(path)]


def clear_folder(folder: Path) -> list[str]:
    """Take out of the notebooks in `folder` what runs left; returns the names of those changed.

    Outputs, execution counts, and metadata but for tags, kernel and language; a notebook that
    cannot be read is left for `lint` to name.
    """
    return [path.name for path in sorted(folder.glob(PATTERN)) if _clear(path)]


def _clear(path: Path) -> bool:
    try:
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    except ValueError:
        return False
    before = copy.deepcopy(notebook)
    for cell in notebook.get("cells", ()):
        cell["metadata"] = _kept(cell.get("metadata", {}), ("tags",))
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    notebook["metadata"] = _kept(notebook.get("metadata", {}), ("kernelspec", "language_info"))
    if "language_info" in notebook["metadata"]:
        notebook["metadata"]["language_info"] = _kept(
            notebook["metadata"]["language_info"], ("name",)
        )
    if notebook == before:
        return False
    nbformat.write(notebook, path, version=nbformat.NO_CONVERT)
    return True


def _kept(metadata: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: metadata[name] for name in names if name in metadata}


def lint(path: Path) -> Iterator[str]:
    """Every problem of one notebook, a sentence each."""
    try:
        notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
        nbformat.validate(notebook)
    except (ValueError, nbformat.ValidationError) as error:
        yield f"is not a valid notebook: {str(error).partition(chr(10))[0]}"
        return
    cells = notebook["cells"]
    if (notebook["nbformat"], notebook["nbformat_minor"]) < (4, 5):
        yield "is older than nbformat 4.5, which gives each cell an id"
    if not cells or cells[0]["cell_type"] != "markdown":
        yield "does not begin with Markdown that says what it is about"
    for number, cell in enumerate(cells, start=1):
        problems = _code_problems if cell["cell_type"] == "code" else _text_problems
        yield from (f"cell {number} {problem}" for problem in problems(cell))
    yield from _parameter_problems(cells)


def _text_problems(cell: Cell) -> Iterator[str]:
    if _INLINE_CODE.sub("", cell["source"]).count("$") > 1:
        yield "has two dollar signs: JupyterLab takes what is between them for mathematics"


def _code_problems(cell: Cell) -> Iterator[str]:
    if cell["outputs"]:
        yield f"has outputs. {CLEAR}"
    if cell["execution_count"] is not None:
        yield f"has an execution count. {CLEAR}"
    try:
        tree = compile(cell["source"], "cell", "exec", _PARSE)
    except SyntaxError as error:
        yield f"is not Python: {error.msg}"
        return
    for node in ast.walk(tree):
        if isinstance(node, _LOGIC):
            yield f"line {node.lineno} defines a function or class: put it into evals"
        if isinstance(node, ast.Name) and node.id in _MARKDOWN:
            yield f"line {node.lineno} shows {node.id}: show a Paragraph, where a $ is a dollar"


def _parameter_problems(cells: list[Cell]) -> Iterator[str]:
    tagged = [cell for cell in cells if "parameters" in cell["metadata"].get("tags", ())]
    if len(tagged) != 1:
        yield f"has {len(tagged)} cells tagged 'parameters', needs one"
        return
    source = tagged[0]["source"]
    commented = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    names = set[str]()
    for statement in ast.parse(source).body:
        target = _assigned(statement)
        if target is None:
            yield f"parameters line {statement.lineno} is no assignment to one name"
            continue
        names.add(target)
        if statement.end_lineno not in commented:
            yield f"parameter {target!r} has no comment that says what it is for"
    yield from (f"has no parameter {name!r}" for name in REQUIRED if name not in names)


def _assigned(statement: ast.stmt) -> str | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id if len(statement.targets) == 1 else None
    return None
