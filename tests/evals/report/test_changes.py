"""What changed since the last run of the same golden data."""

from __future__ import annotations

import json
from pathlib import Path

from evals.report.changes import changes_since_last
from tests.evals.report.pages import page, result, run


def write(folder: Path, *, stated: float, golden: str = "same") -> Path:
    """A run as `evals run` leaves it, as far as a comparison reads it."""
    questions = [f"q{number}" for number in range(40)]
    rows = {"fact_recall": {question: {"value": stated} for question in questions}}
    measures = {"fact_recall": {"about": "", "better": "higher", "unit": ""}}
    quality = {
        "facts": {"golden data digest": golden},
        "data": {"summary": {"rows": rows, "measures": measures}},
    }
    folder.mkdir()
    notebooks = {"01_quality": {"problem": "", "result": quality}}
    (folder / "summary.json").write_text(json.dumps({"notebooks": notebooks}))
    return folder


def test_what_changed_since_the_last_run_of_the_same_data_is_a_section(tmp_path: Path) -> None:
    write(tmp_path / "1", stated=0.9)
    write(tmp_path / "2", stated=0.25)
    write(tmp_path / "3", stated=0.9, golden="other")
    after = write(tmp_path / "4", stated=0.75)
    text = page(tmp_path, run(tmp_path, result()), changes=changes_since_last(after))
    section = text[text.index('<section id="changes">') :].partition("</section>")[0]
    assert "against 2." in section
    assert "Better: fact recall." in section
    assert '<td class="r">0.500</td>' in section


def test_without_an_earlier_run_a_line_says_so_and_there_is_no_section(tmp_path: Path) -> None:
    after = write(tmp_path / "4", stated=0.75)
    write(tmp_path / "5", stated=0.75)
    text = page(tmp_path, run(tmp_path, result()), changes=changes_since_last(after))
    assert "No earlier run of the same golden data" in text
    assert 'id="changes"' not in text


def test_a_run_without_answers_says_why_it_is_not_compared(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "1" / "summary.json").write_text('{"notebooks": {}}')
    changes = changes_since_last(tmp_path / "1")
    assert changes.result is None
    assert "holds no result of 01_quality" in changes.line
