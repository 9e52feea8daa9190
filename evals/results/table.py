"""Tables for a terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.box import HORIZONTALS
from rich.console import Console
from rich.table import Table


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned columns under a rule: words to the left, cells that begin like a number right.

    A terminal folds cells where it is too narrow; in a pipe each line is as wide as it needs.
    """
    table = Table(box=HORIZONTALS, show_edge=False, pad_edge=False, collapse_padding=True)
    for number, column in enumerate(columns):
        numeric = all(_numeric(row[number]) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    width = None if sys.stdout.isatty() else 1000
    console = Console(width=width, markup=False, highlight=False)
    with console.capture() as shown:
        console.print(table)
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def _numeric(cell: str) -> bool:
    return not cell or cell[0] in "0123456789+-.$–"
