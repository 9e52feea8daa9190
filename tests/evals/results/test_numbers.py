"""Numbers as people read them."""

from __future__ import annotations

import pytest

from evals.results.numbers import cell, duration, estimate, interval, number, reasons, target
from evals.results.result import Cell, Headline, Unit
from evals.stats.intervals import Estimate


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.8123, "share", "81.2 %"),
        (1.0, "share", "100 %"),
        (0.0, "share", "0 %"),
        (0.9999, "share", "<100 %"),
        (0.0004, "share", "0.04 %"),
        (1e-6, "share", ">0 %"),
        (130.4, "ms", "130 ms"),
        (3.256, "ms", "3.26 ms"),
        (1.5, "×", "1.5 ×"),
        (23_400_000, "bytes", "23.4 MB"),
        (0.0, "usd", "$0"),
        (0.00026, "usd", "$0.00026"),
        (3.123, "usd", "$3.12"),
        (1_560.4, "usd", "$1,560"),
        (1200, "count", "1,200"),
        (0.3159, "score", "0.316"),
        (None, "share", "not measured"),
    ],
)
def test_a_number_is_written_with_its_unit(value: float | None, unit: Unit, text: str) -> None:
    assert number(value, unit) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("x", "x"), (1200, "1,200"), (0.5, "0.500"), (130.42, "130.4")],
)
def test_a_cell_has_the_digits_that_matter(value: Cell, text: str) -> None:
    assert cell(value) == text


def headline(**changes: object) -> Headline:
    parts: dict[str, object] = {"name": "N", "meaning": "M", "value": 0.5, "n": 1, "unit": "share"}
    return Headline(**(parts | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "said"), [(90, "1.5 min"), (30, "30 s"), (21_600, "6 h"), (604_800, "7 d")]
)
def test_a_ttl_is_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_an_estimate_comes_with_its_interval() -> None:
    assert estimate(Estimate(0.6, 0.5, 0.65), "share") == "60 % [50 %, 65 %]"


def test_an_interval_names_its_unit_once() -> None:
    assert interval(headline(low=0.4, high=0.6)) == "40 to 60 %"
    assert interval(headline()) == ""


def test_an_aim_says_which_way_is_good() -> None:
    assert target(headline(target=0.9)) == "at least 90 %"
    assert target(headline(target=1.0)) == "100 %"
    assert target(headline(target=0.0, better="lower")) == "0 %"
    assert target(headline(target=0.26, better="lower", unit="usd")) == "at most $0.26"


def test_reasons_stand_with_the_most_frequent_first() -> None:
    assert reasons({"refused": 1, "timeout": 3}) == "3 × timeout; 1 × refused"
    assert reasons({}) == ""
