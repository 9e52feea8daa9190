"""A source file as the checks see it: what it assigns, and which errors leave a function."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rag_core import errors

ROOT = Path(__file__).parent.parent

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """One file and its syntax tree."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def lines(self) -> list[str]:
        return self.source.splitlines()

    @cached_property
    def functions(self) -> dict[str, Function]:
        """Its functions and methods by name; of two with one name, the last."""
        return {n.name: n for n in ast.walk(self.tree) if isinstance(n, Function)}


class Assigned(NamedTuple):
    """A name of a module or a class, with the docstring below it."""

    name: str
    annotation: ast.expr | None
    value: ast.expr | None
    said: str


def read(package: str) -> list[Module]:
    """All files of a package, in the order of their paths."""
    paths = sorted((ROOT / package).rglob("*.py"))
    return [Module(str(p.relative_to(ROOT)), p.read_text(encoding="utf-8")) for p in paths]


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def assigned(body: list[ast.stmt]) -> Iterator[Assigned]:
    """The names that a module or a class assigns or declares, within `if` too."""
    for node, below in itertools.zip_longest(body, body[1:]):
        text = below.value if isinstance(below, ast.Expr) else None
        said = str(text.value) if isinstance(text, ast.Constant) else ""
        if isinstance(node, ast.If):
            yield from assigned(node.body)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield Assigned(node.targets[0].id, None, node.value, said)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield Assigned(node.target.id, node.annotation, node.value, said)


def above(name: str) -> set[str]:
    """An error's name and those of its bases."""
    return {each.__name__ for each in getattr(errors, name).__mro__}


def raised(module: Module, node: ast.AST, seen: frozenset[str] = frozenset()) -> set[str]:
    """The errors of rag_core that leave a piece of code, as far as its module's text can tell."""
    if isinstance(node, ast.Try):
        caught = {name for handler in node.handlers for name in _names(handler.type)}
        inside = _raised_by_all(module, node.body, seen)
        rest = [*node.handlers, *node.orelse, *node.finalbody]
        return {n for n in inside if not caught & above(n)} | _raised_by_all(module, rest, seen)
    found = _raised_by_all(module, ast.iter_child_nodes(node), seen)
    if isinstance(node, ast.Raise) and node.exc:
        found |= {name for name in _made(module, node.exc) if hasattr(errors, name)}
    callee = module.functions.get(_last(node.func)) if isinstance(node, ast.Call) else None
    if callee and re.match("_[a-z]", callee.name) and callee.name not in seen:
        found |= raised(module, callee, seen | {callee.name})
    return found


def _raised_by_all(module: Module, nodes: Iterable[ast.AST], seen: frozenset[str]) -> set[str]:
    return {name for node in nodes for name in raised(module, node, seen)}


def _made(module: Module, thrown: ast.expr) -> set[str]:
    """What `raise X`, `raise X(…)` or `raise make_x(…)` raises."""
    name = _last(thrown.func if isinstance(thrown, ast.Call) else thrown)
    maker = module.functions.get(name)
    return words(ast.unparse(maker.returns)) if maker and maker.returns else {name}


def _last(node: ast.expr) -> str:
    """`c` of `a.b.c`; nothing of what is no name."""
    named = isinstance(node, ast.Name | ast.Attribute)
    return ast.unparse(node).rpartition(".")[2] if named else ""


def _names(node: ast.expr | None) -> set[str]:
    return words(ast.unparse(node)) if node else {"BaseException"}
