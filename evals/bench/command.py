"""The command line of a set of benchmarks: run them in turn, print one table."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path

from evals.bench.figures import Figure
from evals.results.table import text_table

Bench = Callable[[Path], Coroutine[None, None, list[Figure]]]
"""Measures in a folder of its own."""


def run_benches(
    prog: str, description: str | None, benches: Mapping[str, Bench], arguments: list[str] | None
) -> int:
    """Print the figures; exit code 1 when one misses its reference."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=description)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--only", choices=benches, metavar="NAME", help=", ".join(benches))
    parsed = parser.parse_args(arguments)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores")
    figures: list[Figure] = []
    for name, run in benches.items():
        if parsed.only in (None, name):
            print(f"measuring {name} …", file=sys.stderr)
            with tempfile.TemporaryDirectory(prefix="rag-bench-") as folder:
                figures += asyncio.run(run(Path(folder)))
    print(text_table(["figure", "measured", "reference", ""], [f.row() for f in figures]))
    return 1 if any(figure.met is False for figure in figures) else 0
