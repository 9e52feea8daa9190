"""The report as a reader, and as a browser without a network, gets it."""

from __future__ import annotations

import base64
import re
from dataclasses import asdict
from html.parser import HTMLParser
from pathlib import Path

import pytest

from evals.report.changes import Changes
from evals.report.verdict import overall_verdict
from evals.results.machine import machine
from evals.results.result import Block, Case, Picture, Table
from tests.evals.report.pages import NASTY, PNG, headline, page, result, run


class Links(HTMLParser):
    """Everything that a browser would fetch or follow."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag not in ("meta", "img", "br", "input", "source"):
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
            Case(
                NASTY, NASTY, ((NASTY, (Block(NASTY, NASTY),)),), ((NASTY, NASTY),),
                ((NASTY, NASTY),), 0.5,
            ),
        ),
        cases_title=NASTY,
        pictures=(Picture("p.png", NASTY, NASTY, NASTY),),
        facts={NASTY: NASTY},
    )  # fmt: skip
    (tmp_path / "p.png").write_bytes(PNG)
    text = page(tmp_path, run(tmp_path, nasty, problem=NASTY), changes=Changes(NASTY, nasty))
    assert "<script>alert" not in text
    assert text.count("<script") == 1
    assert "&lt;script&gt;" in text


def test_a_number_stands_with_its_interval_n_unscored_and_meaning(tmp_path: Path) -> None:
    shown = headline(0.912, low=0.85, high=0.96, unscored=19, target=0.95)
    text = page(tmp_path, run(tmp_path, result(headlines=(shown,))))
    card = text[text.index('class="card ') :].partition('class="card ')[2][:1000]
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
    shown = text[text.index("<main") : text.index("<script")]
    assert "None" not in shown
    assert "nan" not in shown.lower()


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
        ([0.95], "good", "The target is met."),
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


class Tables(HTMLParser):
    """What a screen reader is told of tables and pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.headers: list[dict[str, str | None]] = []
        self.alts: list[str | None] = []
        self.counts = {"table": 0, "caption": 0}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "th":
            self.headers.append(dict(attrs))
        if tag == "img":
            self.alts.append(dict(attrs).get("alt"))
        if tag in self.counts:
            self.counts[tag] += 1


def test_tables_and_pictures_can_be_read_aloud(tmp_path: Path) -> None:
    """Header cells say what they head, tables have captions, pictures say what is seen."""
    (tmp_path / "p.png").write_bytes(PNG)
    pictures = (
        Picture("p.png", "How good?", "Further right is better."),
        Picture("p.png", "How fast?", alt="Half within 40 ms."),
    )
    table = Table("By user", ("user", "n"), (("golden-prophets", 3),))
    shown = result(headlines=(headline(0.9),), tables=(table,), pictures=pictures)
    read = Tables()
    read.feed(page(tmp_path, run(tmp_path, shown)))
    assert {header.get("scope") for header in read.headers} == {"col", "row"}
    assert read.counts["table"] == read.counts["caption"] > 0
    assert read.alts == ["How good? Further right is better.", "Half within 40 ms."]


def test_short_texts_stay_on_one_line_and_numbers_stand_to_the_right(tmp_path: Path) -> None:
    table = Table("T", ("user", "n", "said"), (("golden-prophets", 3, "many words " * 9),))
    text = page(tmp_path, run(tmp_path, result(tables=(table,))))
    assert '<th scope="row" class="short">golden-prophets</th><td class="r">3</td>' in text
    assert '<td class="long">many words' in text


def test_a_telephone_gets_the_narrow_picture(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(PNG)
    (tmp_path / "narrow.png").write_bytes(PNG + b"narrow")
    picture = Picture("p.png", "How good?", alt="Very.", narrow="narrow.png")
    text = page(tmp_path, run(tmp_path, result(pictures=(picture,))))
    wide, narrow = (base64.b64encode(each).decode() for each in (PNG, PNG + b"narrow"))
    assert re.search(rf'<source media="[^"]+" srcset="[^"]+{re.escape(narrow)}"', text)
    assert re.search(rf'<img src="[^"]+{re.escape(wide)}" alt="Very."', text)
