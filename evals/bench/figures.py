"""A measured figure beside its reference."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a benchmark's table."""

    name: str
    measured: str
    reference: str
    met: bool | None = None
    """Whether the reference is met; None when there is nothing to meet."""

    def row(self) -> list[str]:
        """Cells for `text_table`."""
        verdict = {True: "met", False: "MISSED", None: ""}[self.met]
        return [self.name, self.measured, self.reference, verdict]


Bench = Callable[[Path], Coroutine[None, None, list[Figure]]]
"""Measures in a folder of its own."""
