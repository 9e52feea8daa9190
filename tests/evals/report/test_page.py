"""The report as a reader, and as a browser without a network, gets it."""

from __future__ import annotations

import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evals.report.page import write_report
from evals.report.verdict import overall_verdict
from evals.results.machine import machine
from evals.results.notebook_run import NotebookRun
from evals.results.result import Block, Case, Headline, NotebookResult, Picture, Table
from evals.run.manifest import Manifest, Revision

NASTY = '<script>alert(1)</script> & "quotes"'
PNG = b"\x89PNG\r\n"


def manifest() -> dict[str, Any]:
    return Manifest(
        code="this checkout",
        revision=Revision("a" * 40, True),
        profile="smoke",
        seed=0,
        started="2026-01-02T03:04:05+00:00",
        finished="2026-01-02T03:05:05+00:00",
        seconds=60.0,
        machine=machine(),
        dataset={"golden": "d1g357"},
        models={"generator": "extractive"},
        cache={"notes": "cold"},
        settings={"top_k": 5},
        packages={"numpy": "2"},
    ).as_dict()


def headline(value: float | None, **changes: Any) -> Headline:
    parts: dict[str, Any] = {
        "name": "Groundedness",
        "meaning": "Share of sentences supported.",
        "n": 41,
    }
    return Headline(value=value, unit="share", key=True, **(parts | changes))


def run(tmp_path: Path, result: NotebookResult | None, **changes: Any) -> NotebookRun:
    return NotebookRun("01_quality", tmp_path / "01_quality.ipynb", 1.0, result, **changes)


def page(tmp_path: Path, *runs: NotebookRun) -> str:
    return write_report(runs, manifest(), tmp_path, commit="aaaaaaaa").read_text()


def result(**parts: Any) -> NotebookResult:
    usual: dict[str, Any] = {"title": "Answers", "verdict": "All is well.", "n": 60}
    return NotebookResult(**(usual | parts))


def test_what_a_measure_notices_stands_beside_its_number(tmp_path: Path) -> None:
    measured = run(tmp_path, result(headlines=(headline(0.9, measure="groundedness"),)))
    looked_into = run(tmp_path, result(data={"validity": {"groundedness": "notices 88 % of it"}}))
    assert "notices 88 % of it" not in page(tmp_path, measured)
    both = page(tmp_path, measured, looked_into)
    card = both.partition('<div class="name"><span>Groundedness')[2].partition("</div>\n</div>")[0]
    assert "notices 88 % of it" in card


class Links(HTMLParser):
    """Everything that a browser would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_network_and_no_other_file_to_be_read(tmp_path: Path) -> None:
    """Pictures are in it; links lead to files beside it or to its own sections."""
    (tmp_path / "p.png").write_bytes(PNG)
    (tmp_path / "01_quality.ipynb").write_text("{}")
    text = page(tmp_path, run(tmp_path, result(pictures=(Picture("p.png", "How good?"),))))
    links = Links()
    links.feed(text)
    links.close()
    assert not links.open
    assert any(link.startswith("data:image/png;base64,") for link in links.found)
    assert not [link for link in links.found if re.match(r"\w+://|//", link)]
    assert "@import" not in text
    assert "url(" not in text
    assert "01_quality.ipynb" in links.found


def test_text_from_notes_and_questions_is_escaped_everywhere(tmp_path: Path) -> None:
    nasty = result(
        title=NASTY,
        verdict=NASTY,
        headlines=(headline(0.5, name=NASTY, meaning=NASTY),),
        tables=(Table(NASTY, (NASTY,), ((NASTY,),), NASTY),),
        cases=(
            Case(NASTY, NASTY, ((NASTY, (Block(NASTY, NASTY),)),), ((NASTY, NASTY),)),
        ),
        cases_title=NASTY,
        facts={NASTY: NASTY},
    )  # fmt: skip
    text = page(tmp_path, run(tmp_path, nasty, problem=NASTY))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_number_stands_with_its_interval_n_unscored_and_meaning(tmp_path: Path) -> None:
    shown = headline(0.912, low=0.85, high=0.96, unscored=19, target=0.95)
    text = page(tmp_path, run(tmp_path, result(headlines=(shown,))))
    card = text[text.index('class="card ') :].partition('class="card ')[2][:900]
    for part in ("91.2 %", "85 to 96 %", "n = 41", "19 unscored", "at least 95 %", "unsure"):
        assert part in card
    assert "Share of sentences supported." in card


def test_why_questions_are_unscored_stands_at_the_card_and_at_the_number(tmp_path: Path) -> None:
    shown = headline(0.9, unscored=5, reasons={"the judge is down": 2, "timeout": 3})
    text = page(tmp_path, run(tmp_path, result(headlines=(shown,))))
    assert text.count("3 × timeout; 2 × the judge is down") == 2


def test_what_was_not_measured_is_never_shown_as_a_number(tmp_path: Path) -> None:
    text = page(tmp_path, run(tmp_path, result(headlines=(headline(None, target=0.9, n=0),))))
    assert "not measured" in text
    assert "None" not in text
    assert "nan" not in text.lower().replace("finance", "")


def test_a_failed_notebook_is_said_first(tmp_path: Path) -> None:
    failed = run(tmp_path, None, problem="its kernel died", exit_code=4)
    text = page(tmp_path, failed)
    assert "This run is incomplete" in text
    assert "its kernel died" in text


def test_long_tables_are_folded_and_the_first_short_one_is_not(tmp_path: Path) -> None:
    short = Table("Short", ("a",), ((1,),))
    long = Table("Long", ("a",), tuple((i,) for i in range(60)))
    text = page(tmp_path, run(tmp_path, result(tables=(short, long))))
    assert "<h3>Short</h3>" in text
    assert re.search(r"<summary>Long", text)


def test_the_manifest_is_told_with_its_commit_and_that_it_was_changed(tmp_path: Path) -> None:
    text = page(tmp_path, run(tmp_path, result()))
    for part in ("a" * 40, "uncommitted changes", "d1g357", "extractive", "numpy"):
        assert part in text


@pytest.mark.parametrize(
    ("values", "status", "line"),
    [
        ([0.95], "good", "All 1 targets are met."),
        ([0.95, 0.5], "bad", "1 of 2 targets are met."),
        ([None], "watch", "0 of 1 targets are met."),
    ],
)
def test_the_verdict_counts_the_aims_that_are_met(
    tmp_path: Path, values: list[float | None], status: str, line: str
) -> None:
    shown = tuple(headline(value, target=0.9) for value in values)
    verdict = overall_verdict([run(tmp_path, result(headlines=shown))])
    assert (verdict.status, verdict.line) == (status, line)


def test_the_machine_is_part_of_the_page(tmp_path: Path) -> None:
    assert asdict(machine())["python"] in page(tmp_path, run(tmp_path, result()))


def test_a_simulated_number_says_so_and_shows_a_band_and_its_traffics(tmp_path: Path) -> None:
    simulated = headline(0.25, low=0.02, high=0.81, n=33, simulated=True, name="Served")
    text = page(tmp_path, run(tmp_path, result(headlines=(simulated, headline(0.9)))))
    card = text[text.index('class="card plain simulated"') :].partition('<div class="card')[0]
    assert "simulated" in card
    assert "band 2 to 81 %" in card
    assert "33 traffics" in card
    assert "n = 33" not in text
    assert "95 % interval 2" not in text
    assert "n = 41" in text
