from __future__ import annotations

import pytest

from evals.measures.claims import claims, disagreements, quoted_in
from tests.evals.measures.observed import ABEL, CAIN, answer, cite

ONE, TWO = cite(1, CAIN), cite(2, ABEL)


def numbered(text: str) -> list[tuple[str, list[int]]]:
    return [
        (claim.text, [citation.number for citation in claim.citations])
        for claim in claims(answer(text, ONE, TWO))
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Cain was proud [1].", [("Cain was proud.", [1])]),
        (
            "Cain was proud. [1] Abel was not.[2]",
            [("Cain was proud.", [1]), ("Abel was not.", [2])],
        ),
        ("Was Cain proud? [1] Yes! [2]", [("Was Cain proud?", [1]), ("Yes!", [2])]),
        ("Both brought gifts [1][2].", [("Both brought gifts.", [1, 2])]),
        ("Both brought gifts [2, 1].", [("Both brought gifts.", [2, 1])]),
        ("“Cain was proud.” [1]", [("“Cain was proud.”", [1])]),
        ("No mark. Cain was proud [1].", [("No mark.", []), ("Cain was proud.", [1])]),
        ("Cain was proud [9].", [("Cain was proud.", [])]),
        (
            "Your notes say:\n- Cain was proud [1]\n- Abel was not [2]",
            [("Cain was proud", [1]), ("Abel was not", [2])],
        ),
        ("[1] says Cain was proud.", [("says Cain was proud.", [1])]),
        ("Cain was proud [1]\nAbel was not [2]", [("Cain was proud", [1]), ("Abel was not", [2])]),
        ("…\n\n* * *\n\n[1]", []),
        ("A line\nbroken by the note [1].", [("A line\nbroken by the note.", [1])]),
    ],
)
def test_a_mark_belongs_to_the_sentence_it_stands_in_or_behind(
    text: str, expected: list[tuple[str, list[int]]]
) -> None:
    assert numbered(text) == expected


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("He kept 40 sheep.", "There were forty sheep.", ()),
        ("He kept twelve sheep.", "There were 12 sheep.", ()),
        ("He kept 41 sheep.", "There were 40 sheep.", ("41",)),
        ("He had 1,000 sheep.", "He had 1000 sheep.", ()),
        ("No one came.", "Nobody came.", ()),
        ("There is 1 God.", "There is one God.", ()),
        ("It is in chapter 4:7.", "Gen 4:1-7", ()),
        ("Then Abel came to Eden.", "Abel's sheep lay near Eden.", ()),
        ("Then Seth came.", "Then Abel came.", ("Seth",)),
        ("Seth came.", "Abel came.", ()),
        ("He came. Seth did not.", "He came.", ()),
        ("In my notes I saw it.", "It was seen.", ()),
    ],
)
def test_numbers_and_names_must_be_in_the_source(
    claim: str, source: str, missing: tuple[str, ...]
) -> None:
    """A capital at the start of a sentence makes no name."""
    assert disagreements(claim, source) == missing


def test_a_quote_is_found_whatever_its_quotation_marks_case_and_blanks() -> None:
    source = "And he said, “Abel’s   offering\nwas accepted.” So it was."
    assert quoted_in("“Abel's offering was accepted.”", source)
    assert quoted_in("abel’s offering", source)
    assert not quoted_in("Cain's offering was accepted.", source)
    assert not quoted_in("…", source)
