"""The notebooks: which there are, what parameters they take, which values they get."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag_core.errors import InvalidInput

Value = str | int | float | bool
PATTERN = "[0-9][0-9]_*.ipynb"


@dataclass(frozen=True)
class Notebook:
    """A notebook and the parameters of its tagged cell, with their defaults as written."""

    path: Path
    parameters: Mapping[str, str]

    @property
    def name(self) -> str:
        """`01_quality` of `notebooks/01_quality.ipynb`."""
        return self.path.stem


def discover(folder: Path, only: str | None = None) -> list[Notebook]:
    """The notebooks in `folder` in the order of their numbers; those that `only` names.

    `only` is a whole name or the part after the number: `01_quality` or `quality`; several are
    parted by commas.

    Raises:
        InvalidInput: there is none, or none of that name.
    """
    paths = sorted(folder.glob(PATTERN))
    if not paths:
        raise InvalidInput(str(folder), "holds no notebooks", f"They are named {PATTERN}")
    if only is not None:
        chosen = {path for name in only.split(",") for path in _named(name, paths)}
        paths = sorted(chosen)
    return [Notebook(path, _inspect(path)) for path in paths]


def _named(name: str, paths: Sequence[Path]) -> list[Path]:
    chosen = name.strip().removesuffix(".ipynb")
    found = [path for path in paths if chosen in (path.stem, path.stem[3:])]
    if not found:
        known = _known(chosen, [path.stem for path in paths])
        raise InvalidInput("--only", f"there is no notebook {name!r}", known)
    return found


def parse_parameter(text: str) -> tuple[str, Value]:
    """`name=value` as written on a command line; a value that is no Python literal is text.

    true and false are truth values however they are written: as text, both would be true.

    Raises:
        InvalidInput: there is no `=` or no name.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise InvalidInput("--parameter", f"{text!r} is not NAME=VALUE", "Write it like seed=7")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    try:
        literal = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return name, value
    return name, literal if isinstance(literal, (str, int, float, bool)) else value


def values_for(
    notebook: Notebook, offered: Mapping[str, Value], required: Iterable[str]
) -> dict[str, Value]:
    """Those of `offered` that the notebook takes.

    Raises:
        InvalidInput: it lacks a parameter that every notebook has.
    """
    for name in required:
        if name not in notebook.parameters:
            raise InvalidInput(
                str(notebook.path), f"has no parameter {name!r}", "Add it to its parameters cell"
            )
    return {name: value for name, value in offered.items() if name in notebook.parameters}


def check_known(names: Iterable[str], notebooks: Sequence[Notebook]) -> None:
    """Refuse a parameter that no notebook takes: papermill would only warn and go on without.

    Raises:
        InvalidInput: names the parameter and what may have been meant.
    """
    known = sorted({name for notebook in notebooks for name in notebook.parameters})
    for name in names:
        if name not in known:
            asked = ", ".join(notebook.name for notebook in notebooks)
            raise InvalidInput(
                "--parameter", f"no notebook of {asked} has a parameter {name!r}",
                _known(name, known),
            )  # fmt: skip


def _inspect(path: Path) -> dict[str, str]:
    from nbformat.reader import NotJSONError
    from papermill.exceptions import PapermillException
    from papermill.inspection import inspect_notebook

    try:
        found = inspect_notebook(str(path))
    except (NotJSONError, PapermillException, ValueError) as error:
        problem = str(error).partition("\n")[0][:200]
        raise InvalidInput(str(path), f"cannot be read as a notebook: {problem}") from error
    return {name: str(parameter["default"]) for name, parameter in found.items()}


def _known(wrong: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(wrong, known, n=1)
    meant = f"Did you mean {near[0]!r}? " if near else ""
    return f"{meant}There are {', '.join(known)}"
