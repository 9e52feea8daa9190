"""Every question in the page: there without a script, picked and sorted with one."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path

from evals.results.result import Block, Case
from tests.evals.report.pages import page, result, run


def case(number: int) -> Case:
    return Case(
        title=f"q{number:03}",
        summary=f"Question {number}?",
        columns=(("Answer", (Block("fresh", f"Answer {number}."),)),),
        facets=(("scenario", "odd" if number % 2 else "even"), ("split", "dev")),
        rank=number / 300,
    )


def test_every_case_stands_in_the_page_closed_and_unhidden(tmp_path: Path) -> None:
    """A browser without scripts shows all of them."""
    text = page(tmp_path, run(tmp_path, result(cases=tuple(map(case, range(281))))))
    opened = re.findall(r'<details class="case"([^>]*)>', text)
    assert len(opened) == 281
    assert not [
        attributes for attributes in opened if re.search(r"\bhidden\b|\bopen\b", attributes)
    ]
    for number in range(281):
        assert f"Question {number}?" in text
        assert f"Answer {number}." in text


def test_the_script_finds_what_it_picks_and_sorts_by(tmp_path: Path) -> None:
    text = page(tmp_path, run(tmp_path, result(cases=(case(1), case(2)))))
    facets = re.findall(r'data-facets="([^"]*)"', text)
    assert [json.loads(unescape(each)) for each in facets] == [["odd", "dev"], ["even", "dev"]]
    assert re.findall(r'data-rank="([^"]*)"', text) == [str(1 / 300), str(2 / 300)]
    form = text[text.index("<form") : text.index("</form>")]
    assert re.findall(r"<label>(\w+)<select data-facet", form) == ["scenario", "split"]
    assert "<option>even</option><option>odd</option>" in form


def test_examples_without_facets_have_no_filters(tmp_path: Path) -> None:
    plain = Case("q", "What?", ())
    text = page(tmp_path, run(tmp_path, result(cases=(plain,))))
    assert "<form" not in text
    assert "What?" in text
