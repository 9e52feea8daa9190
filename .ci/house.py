"""The house at a glance: its files, the lengths of its functions, its lines of code.

    python .ci/house.py [--tree] [--base REV]

A function is as long as the lines from its `def` to its end, without decorators and docstring;
stubs (a body of `...`) do not count. A line of code is one that holds more than a comment or a
docstring. Exit code 1: a file or the functions are longer than the house allows.
"""

from __future__ import annotations

import argparse
import ast
import io
import subprocess
import sys
import tarfile
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import TypeGuard

PACKAGES = ("rag_core", "evals", "loadtests")
MAX_FILE_LINES, MAX_MEDIAN_LINES, MAX_P90_LINES = 300, 6, 16
ROOT = Path(__file__).parent.parent
NO_CODE = {
    *(tokenize.ENCODING, tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE),
    *(tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
Sources = dict[str, str]
"""The text of each file by its path."""


def working_tree() -> Sources:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}


def revision(name: str) -> Sources:
    listed = ["git", "ls-tree", "--name-only", name, *PACKAGES]
    there = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    command = ["git", "archive", name, *there.split()]
    packed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        files = {each.name: archive.extractfile(each) for each in archive if each.isfile()}
        return {path: f.read().decode() for path, f in files.items() if f and path.endswith(".py")}


def code_lines(source: str) -> int:
    """Lines that hold more than a comment or a docstring, an attribute's too."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if _is_text(node):
            held.difference_update(range(node.lineno, node.lineno + _lines(node)))
    return len(held)


def functions(sources: Sources) -> Iterator[tuple[int, str]]:
    """The length of each function in lines, and where it stands."""
    for path, source in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, Function) and not _is_stub(node):
                docstring = _lines(node.body[0]) if _is_text(node.body[0]) else 0
                yield _lines(node) - docstring, f"{path}: {node.name}"


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _is_text(node: ast.AST) -> TypeGuard[ast.Expr]:
    """Whether a statement is a mere text: a docstring."""
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def _is_stub(function: Function) -> bool:
    return ast.unparse(function.body[-1]) == "..."


def tree(sources: Sources) -> Iterator[str]:
    """One line a file: its path and its docstring's first line."""
    for path, source in sources.items():
        said = (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]
        yield f"{path:<48} {said}"


def rooms(sources: Sources) -> Counter[str]:
    """Lines of code by package and by room."""
    lines: Counter[str] = Counter()
    for path, source in sources.items():
        package, *folders, _file = path.split("/")
        room = "/".join([package, *folders[: 2 if "adapters" in folders else 1]])
        count = code_lines(source)
        lines[package] += count
        lines[room + ("" if folders else "/*.py")] += count
    return lines


def print_lengths(sources: Sources, *, longest: int = 0) -> bool:
    """The lengths of each package's functions; whether they are as short as the house wants."""
    short = []
    for package in PACKAGES:
        found = functions({p: s for p, s in sources.items() if p.startswith(f"{package}/")})
        lengths = sorted(found, reverse=True)
        middle = median(length for length, _ in lengths)
        p90 = quantiles((length for length, _ in lengths), n=10)[-1]
        short.append(middle <= MAX_MEDIAN_LINES and p90 <= MAX_P90_LINES)
        print(f"{package}: {len(lengths)} functions, median {middle:g} lines, p90 {p90:g}")
        print("".join(f"{length:>6}  {where}\n" for length, where in lengths[:longest]), end="")
    return all(short)


def print_code_lines(now: Sources, base: Sources | None) -> None:
    """Lines of code by room, beside those of the base."""
    lines, before = rooms(now), rooms(base or {})
    print(f"\n{'lines of code':<28}" + ("  before     now  change" if base else "     now"))
    for room in sorted(lines.keys() | before.keys()):
        changed = f"{before[room]:>8}{lines[room]:>8}{lines[room] - before[room]:>+8}"
        print(f"{room:<28}" + (changed if base else f"{lines[room]:>8}"))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--base", metavar="REV", help="show the figures of REV beside today's")
    parser.add_argument("--tree", action="store_true", help="list the files and what each holds")
    options = parser.parse_args()
    sources, base = working_tree(), revision(options.base) if options.base else None
    if options.tree:
        print(*tree(sources), "", sep="\n")
    if base:
        print(f"at {options.base}:")
        print_lengths(base)
        print("now:")
    short = print_lengths(sources, longest=10)
    print_code_lines(sources, base)
    long = {path: len(source.splitlines()) for path, source in sources.items()}
    over = [f"{path}: {n}" for path, n in long.items() if n > MAX_FILE_LINES]
    print(f"\nfiles over {MAX_FILE_LINES} lines:", *(over or ["none"]), sep="\n  ")
    return 0 if short and not over else 1


if __name__ == "__main__":
    sys.exit(main())
