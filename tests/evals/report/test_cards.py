"""What a manager reads in a minute: at most nine cards in three groups."""

from __future__ import annotations

from pathlib import Path

from evals.report.cards import GROUPS, cards
from tests.evals.report.pages import headline, page, result, run


def test_each_group_shows_its_first_three_key_numbers(tmp_path: Path) -> None:
    many = tuple(
        headline(0.5, name=f"{group} {place}", group=group)
        for place in range(5)
        for group in reversed(GROUPS)
    )
    shown = cards([run(tmp_path, result(headlines=many))])
    assert list(shown) == list(GROUPS)
    for group, headlines in shown.items():
        assert [each.name for each in headlines] == [f"{group} {place}" for place in range(3)]
    text = page(tmp_path, run(tmp_path, result(headlines=many)))
    assert text.count('<div class="card ') == 9
    assert "safety 4" in text, "the rest stands in tables"


def test_a_number_without_a_group_has_no_card(tmp_path: Path) -> None:
    assert cards([run(tmp_path, result(headlines=(headline(0.5, group=None),)))]) == {}


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


def test_the_value_on_dev_and_the_gap_stand_beside_the_one_on_test(tmp_path: Path) -> None:
    text = page(tmp_path, run(tmp_path, result(headlines=(headline(0.7, split="test", dev=0.8),))))
    card = text[text.index('class="card plain"') :].partition("</main>")[0]
    assert "70 %" in card
    assert "test; dev 80 %, gap -10 %" in card


def test_what_a_measure_notices_stands_beside_its_number(tmp_path: Path) -> None:
    measured = run(tmp_path, result(headlines=(headline(0.9, measure="groundedness"),)))
    sentence = "notices 88 % of it; out of its reach: halves"
    looked_into = run(tmp_path, result(data={"validity": {"groundedness": sentence}}))
    assert "notices 88 % of it" not in page(tmp_path, measured)
    both = page(tmp_path, measured, looked_into)
    assert both.count("Validity: notices 88 % of it.") == 1, "on the card"
    assert both.count(f"Validity: {sentence}.") == 1, "in the table"
