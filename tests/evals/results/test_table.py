"""A table in a pipe is as wide as its cells need, and plain text; a terminal folds what is wide."""

from __future__ import annotations

import sys

import pytest

from evals.results.table import text_table

COLUMNS = ("measure", "value", "95 %")
ROWS = [["recall of a measure with a name " * 4, "0.9", "[0.1, 0.2]"], ["nDCG", "12.25", ""]]


def test_in_a_pipe_no_cell_is_cut_or_styled_and_numbers_are_right_aligned() -> None:
    head, rule, wide, narrow = text_table(COLUMNS, ROWS).splitlines()
    assert set(rule) == {"─"}
    assert wide.startswith(ROWS[0][0])
    assert wide.endswith("  0.9  [0.1, 0.2]")
    assert narrow.endswith("  12.25")
    assert "\x1b" not in head
    assert len(narrow) == wide.index("0.9") + 3


def test_a_terminal_of_80_columns_shows_every_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    shown = text_table(COLUMNS, ROWS)
    assert max(map(len, shown.splitlines())) <= 80
    assert shown.count("measure with") == 4
    assert "…" not in shown
