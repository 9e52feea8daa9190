from __future__ import annotations

import pytest

from evals.measures.quoting import nearly_stands_in, stands_in

SOURCE = "And he said, “Abel’s   offering\nwas accepted.” So it was. Nobody denies that he fasted."


@pytest.mark.parametrize(
    ("claim", "stands"),
    [
        ("“Abel's offering was accepted.”", True),
        ("abel’s offering", True),
        ("Cain's offering was accepted.", False),
        ("he fasted", False),
        ("…", False),
    ],
)
def test_a_quote_is_found_whatever_its_marks_case_and_blanks_unless_denied(
    claim: str, stands: bool
) -> None:
    assert stands_in(claim, SOURCE) is stands


def test_a_quote_that_is_denied_once_and_affirmed_once_stands() -> None:
    assert stands_in("He came", "It is not true that he came. He came.")


def test_a_quote_with_a_slip_nearly_stands_unless_denied_or_much_longer_than_the_source() -> None:
    quote = "Cain showed a proud heart."
    assert nearly_stands_in(quote, "They say Cain shewed a proud heart.")
    assert not nearly_stands_in(quote, "It is false that Cain shewed a proud heart.")
    assert not nearly_stands_in(quote, "Cain showed")


def test_a_quote_over_several_lines_and_bullets_stands() -> None:
    note = "Shopping:\n- Bread and\n- wine, 2 bottles"
    assert stands_in("- Bread and\n- wine", note)
