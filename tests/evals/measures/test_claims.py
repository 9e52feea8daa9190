from __future__ import annotations

import pytest

from evals.measures.claims import claims, sentences
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


def test_sentences_are_those_of_each_line_without_its_bullet() -> None:
    assert sentences("Title\n\nA b. C d.\n- E f\n…") == ["Title", "A b.", "C d.", "E f"]
