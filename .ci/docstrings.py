"""Whether the docstrings of public names say all that a caller must know.

    python .ci/docstrings.py

Public is what rag_core and its rooms export, what stands in rag_core itself, and what in evals
and loadtests has no leading underscore; each with its public methods and fields. That there is a
docstring, ruff holds (D1). What it must say:

- Raises: a function that raises an error of `rag_core.errors`, itself or in a private callee of
  its module, names it or an error above it under `Raises:`; and whatever stands there exists.
- Arrays and tables (NDArray, DataFrame) have a dtype and shape (`float32[n, 384]`) or their
  columns; an alias that says so in its docstring says it for all its uses.
- Numbers have a unit: in the name (`_s`, `_usd`, `_share`; a plural counts what it names), or in
  words, in the docstring below the field, or in a clause that names the parameter.
- Constants that are numbers have a docstring below, or a comment in their paragraph: where the
  value comes from.

A method whose docstring is "See `Protocol`." says what the protocol's says, and one that "Raises
what `other` raises" names no errors.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from source import Function, Module, above, assigned, raised, read, words

from rag_core import errors

UNITS = {
    *("s", "ms", "us", "ns", "day", "days", "hours", "time", "epoch", "usd", "bytes", "mb", "gb"),
    "nano",  # billionths of a US dollar
    *(
        "tokens",
        "share",
        "percent",
        "rate",
        "ratio",
        "probability",
        "score",
        "count",
        "per",
        "size",
        "number",
    ),
    *("position", "recall", "ndcg", "cosine", "k", "n"),
    *("seed", "port", "pid", "uid", "gid", "status", "version", "code"),  # numbers, not quantities
    *("m", "ef"),  # pgvector's names for HNSW's settings
}
"""Words of a name that say what its number is in."""

IN_WORDS = re.compile(
    r"seconds?|\bm?s\b|microseconds?|minutes?|hours?|days?|dollars?|US\$|bytes?|\b[GM]B\b|unit|"
    r"tokens?|characters?|word pieces|words|lines|shares?|probabilit|\brate|ratio|0 to 1|-1 to 1|"
    r"\bnumber|how (many|often)|counts?|rows?|points|percent|%|similarity|exit code|per |times|"
    r"n of|positions?|index",
    re.IGNORECASE,
)
SHAPE = re.compile(r"\w+\d*\[[^\]]*\]|columns?\b|\brows? (a|per|for|by|of)\b", re.IGNORECASE)
ARRAYS = {"NDArray", "ndarray", "DataFrame", "Series"}


@dataclass
class Checker:
    """Collects what docstrings lack."""

    modules: list[Module]
    problems: list[str] = field(default_factory=list)

    @cached_property
    def arrays(self) -> set[str]:
        """What an array's type is called, but for the aliases that describe themselves."""
        return ARRAYS | {
            name
            for module in self.modules
            for name, _, value, said in assigned(module.tree.body)
            if isinstance(value, ast.Subscript) and ARRAYS & words(ast.unparse(value))
            if not SHAPE.search(said)
        }

    @cached_property
    def names(self) -> set[str]:
        """What a docstring may refer to: classes and aliases, ours and Python's."""
        trees = [module.tree for module in self.modules]
        classes = {n.name for tree in trees for n in ast.walk(tree) if isinstance(n, ast.ClassDef)}
        aliases = {each.name for tree in trees for each in assigned(tree.body)}
        return classes | aliases | {*dir(errors), *dir(builtins)}

    def check(self, module: Module, public: set[str]) -> None:
        for name, _, value, said in assigned(module.tree.body):
            if name in public and value and _is_number(value) and not said:
                self._check_constant(module, name, value)
        for node in module.tree.body:
            if isinstance(node, Function) and node.name in public:
                self._check_function(module, node, node.name, "")
            elif isinstance(node, ast.ClassDef) and node.name in public:
                self._check_class(module, node)

    def _check_class(self, module: Module, node: ast.ClassDef) -> None:
        said = ast.get_docstring(node) or ""
        for name, annotation, _, below in assigned(node.body):
            if annotation and not name.startswith("_"):
                where = f"{node.name}.{name}"
                self._check_value(module, node, where, name, annotation, below, said)
        for method in node.body:
            if isinstance(method, Function) and not method.name.startswith("_"):
                self._check_function(module, method, f"{node.name}.{method.name}", "")
            elif isinstance(method, Function) and method.name in ("__init__", "__call__"):
                self._check_function(module, method, f"{node.name}.{method.name}", said)

    def _check_function(self, module: Module, node: Function, where: str, around: str) -> None:
        said = f"{around}\n{ast.get_docstring(node) or ''}".strip()
        if referred := re.match(r"See `([\w.]+)`\.", said):
            if referred[1].rpartition(".")[2] not in self.names:
                self._tell(module, node, where, f"`{referred[1]}` does not exist")
            return
        if not re.search(r"[Rr]aises\s+what\s+`\w+`\s+raises", said):
            self._check_raises(module, node, where, said)
        arguments = node.args
        for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs):
            if each.annotation:
                self._check_value(module, node, where, each.arg, each.annotation, "", said)
        if node.returns:
            self._check_value(module, node, where, node.name, node.returns, said, said)

    def _check_raises(self, module: Module, node: Function, where: str, said: str) -> None:
        documented = _documented(said)
        for name in documented - self.names:
            self._tell(module, node, where, f"Raises names {name}, which does not exist")
        for name in sorted(raised(module, node)):
            if not above(name) & documented:
                self._tell(module, node, where, f"raises {name}, which the docstring does not say")

    def _check_value(
        self,
        module: Module,
        node: ast.stmt,
        where: str,
        name: str,
        annotation: ast.expr,
        own: str,
        around: str,
    ) -> None:
        kind = ast.unparse(annotation).strip("'\"")
        clauses = re.split(r"[.;]\s|\n\n|\n(?=\s*\w+:)", around)
        text = "\n".join([own, *(each for each in clauses if name in words(each))])
        if self.arrays & words(kind) and not SHAPE.search(own + around):
            self._tell(module, node, where, f"{name} is an array without shape or columns")
        if re.fullmatch(r"(float|int)( \| None)?", kind) and not _has_unit(name, text):
            self._tell(module, node, where, f"{name} is a number without a unit")

    def _check_constant(self, module: Module, name: str, value: ast.expr) -> None:
        first = last = value.lineno - 1
        while first and module.lines[first - 1]:
            first -= 1
        if not any("#" in line for line in module.lines[first : last + 1]):
            self._tell(module, value, name, "says not where its value comes from")

    def _tell(self, module: Module, node: ast.stmt | ast.expr, where: str, problem: str) -> None:
        self.problems.append(f"{module.path}:{node.lineno}: {where}: {problem}")


def _has_unit(name: str, text: str) -> bool:
    plural = re.search(r"[a-z]{2,}[^s]s(_|$)", name.lower())
    return bool(plural or UNITS & set(name.lower().split("_")) or IN_WORDS.search(text))


def _is_number(value: ast.expr) -> bool:
    """Whether a value is a number, or made of numbers by arithmetic."""
    if isinstance(value, ast.BinOp):
        return _is_number(value.left) and _is_number(value.right)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def _documented(said: str) -> set[str]:
    """The names under `Raises:`."""
    _, _, section = said.partition("Raises:\n")
    names: set[str] = set()
    for line in section.split("\n\n")[0].splitlines():
        if listed := re.match(r"\s*([A-Z]\w+(?:, [A-Z]\w+)*):", line):
            names.update(listed[1].split(", "))
    return names


def _exported(module: Module) -> Iterator[tuple[str, str]]:
    """What a room exports, each with the path of the file that defines it."""
    values = {each.name: each.value for each in assigned(module.tree.body)}
    exported = values.get("__all__")
    names = set(ast.literal_eval(exported)) if exported else set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("rag_core"):
            file = str(node.module).replace(".", "/")
            yield from ((f"{file}.py", alias.name) for alias in node.names if alias.name in names)


def problems() -> list[str]:
    """What the docstrings of all public names lack."""
    core, others = read("rag_core"), [*read("evals"), *read("loadtests")]
    checker = Checker(core + others)
    exported = {pair for module in core for pair in _exported(module)}
    for module in core + others:
        top = [n.name for n in module.tree.body if isinstance(n, Function | ast.ClassDef)]
        defined = {*top, *(each.name for each in assigned(module.tree.body))}
        whole = module in others or module.path.count("/") == 1
        public = {n for n in defined if whole or (module.path, n) in exported}
        checker.check(module, {name for name in public if not name.startswith("_")})
    return checker.problems


if __name__ == "__main__":
    found = problems()
    print("\n".join(found) or "every public docstring is complete")
    sys.exit(bool(found))
