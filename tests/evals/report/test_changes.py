"""What changed since the last run of the same golden data."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evals.report.changes import Changes, changes_since_last, last_run
from evals.results.result import NotebookResult
from rag_core.errors import InvalidInput
from tests.evals.report.pages import page, result, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The newest run, of the golden data `same`, beside others."""
    for name, golden in (
        ("1", "same"),
        ("2", "same"),
        ("3", "other"),
        ("4", "same"),
        ("5", "same"),
    ):
        (tmp_path / name).mkdir()
        text = json.dumps({"dataset": {"golden": golden}})
        (tmp_path / name / "manifest.json").write_text(text)
    (tmp_path / "3b").mkdir()
    (tmp_path / "3b" / "manifest.json").write_text("{")
    return tmp_path / "4"


def compared(before: Path, after: Path) -> NotebookResult:
    return result(title="Compared", verdict=f"{before.name} to {after.name}: better.")


def test_the_last_run_is_the_newest_older_one_of_the_same_data(folder: Path) -> None:
    assert last_run(folder, "same") == folder.parent / "2"
    assert last_run(folder, "unheard of") is None


def test_what_changed_is_a_section_that_names_the_run_before(tmp_path: Path, folder: Path) -> None:
    changes = changes_since_last(folder, "same", compared)
    text = page(tmp_path, run(tmp_path, result()), changes=changes)
    section = text[text.index('<section id="changes">') :].partition("</section>")[0]
    assert "Against 2." in section
    assert "2 to 4: better." in section


def test_without_an_earlier_run_a_line_says_so_and_there_is_no_section(
    tmp_path: Path, folder: Path
) -> None:
    changes = changes_since_last(folder, "new data", compared)
    text = page(tmp_path, run(tmp_path, result()), changes=changes)
    assert "No earlier run of the same golden data" in text
    assert 'id="changes"' not in text


def test_runs_that_cannot_be_compared_say_why(folder: Path) -> None:
    def refuses(before: Path, after: Path) -> NotebookResult:
        raise InvalidInput(before.name, "holds no scores")

    changes = changes_since_last(folder, "same", refuses)
    assert changes.result is None
    assert "holds no scores" in changes.line
    assert changes_since_last(folder, "same", None) == Changes(
        "Nothing was compared with the last run of the same data, 2."
    )
