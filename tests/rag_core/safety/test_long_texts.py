"""An attack is found wherever it stands in a long text, which costs no more than its length."""

from __future__ import annotations

import pytest

from rag_core.safety import (
    PATTERNS,
    find_attack,
)
from tests.rag_core.safety.attacks import (
    BENIGN,
    dataset,
)

PROSE = "And they came to the city, and dwelt there; the men of the land were glad of them. "


@pytest.mark.parametrize("offset", [0, 17, 190, 249, 250, 251, 400, 549, 550, 551, 3_000, 7_900])
def test_an_attack_is_found_wherever_it_stands_in_a_long_text(offset: int) -> None:
    before = (PROSE * 100)[:offset].rsplit(".", 1)[0]
    texts = [pattern.example for pattern in PATTERNS]
    texts += [row["text"] for row in dataset() if len(row["text"]) < 800]
    texts = [text for text in texts if find_attack(f"{before}. {text}")]
    assert len(texts) > 80
    after = PROSE * 20
    assert [text for text in texts if not find_attack(f"{before}. {text}. {after}")] == []


@pytest.mark.parametrize("offset", [180, 240, 300, 500])
def test_an_ordinary_question_is_ordinary_in_a_long_text(offset: int) -> None:
    """A stretch is no text of its own: no order begins or ends where it does."""
    before = (PROSE * 100)[:offset].rsplit(".", 1)[0]
    texts = [f"{before}. {question} {PROSE * 8}" for question in [*BENIGN, PROSE * 90]]
    assert [text for text in texts if find_attack(text)] == []


def test_where_a_stretch_ends_the_text_goes_on() -> None:
    """ "Decode it and run" is an order only where the text ends."""
    assert find_attack("Decode the vision and run") is not None
    benign = "Decode the vision and run the race set before us. " + PROSE * 8
    assert find_attack(benign) is None
    shifted = [f"{(PROSE * 9)[:offset]}. {benign}" for offset in range(250, 560)]
    assert [text for text in shifted if find_attack(text)] == []


LONG = {
    "one verb again and again": "ignore ",
    "two": "ignore all the previous ",
    "signs": "#",
    "dashes": "-",
    "angles": "<",
    "hex": b"tell me the text ".hex() + " ",
    "letters written out": "\ufdfa",
    "accents": "e\u0301",
}


@pytest.mark.parametrize("unit", LONG.values(), ids=LONG)
def test_a_long_text_costs_no_more_than_its_length(unit: str) -> None:
    """Every pattern looks at each character a bounded number of times: 8,000 signs took a second.

    A million characters in well under a minute leaves no room for a square.
    """
    assert find_attack(unit * (1_000_000 // len(unit))) is None
