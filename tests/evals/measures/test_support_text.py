from __future__ import annotations

import pytest

from evals.measures.support_text import clauses, parse, stem


@pytest.mark.parametrize(
    ("text", "denied"),
    [
        ("God will not leave them.", {"leave"}),
        ("He didn't come, he stayed.", {"come"}),
        ("He is not yet come.", {"come"}),
        ("Not only priests came.", set()),
        ("We cannot but praise him.", set()),
        ("There is no prison but God can open it.", set()),
        ("No doubt they came.", set()),
        ("They came.", set()),
        ("The mercy no longer continues.", {"continues"}),
        ("He fails to come.", {"come"}),
        ("He is far from sure.", {"sure"}),
        ("They complain instead of praying.", {"praying"}),
        ("The far country refuses them.", set()),
    ],
)
def test_what_a_negation_denies(text: str, denied: set[str]) -> None:
    assert {token.text for token in parse(text).tokens if token.denied} == denied


def test_a_negation_reaches_to_the_end_of_its_clause() -> None:
    in_scope = {t.text for t in parse("They did not sow or reap, they slept.").tokens if t.in_scope}
    assert in_scope == {"sow", "reap"}


def test_clauses_are_parted_at_signs_and_conjunctions() -> None:
    parted = clauses(parse("The ark rested, and Noah waited because rain fell."))
    assert [[token.text for token in clause] for clause in parted] == [
        ["ark", "rested"], ["noah", "waited"], ["rain", "fell"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "forms",
    [
        "rejoice rejoiced rejoicing rejoices",
        "city cities",
        "plan planned planning",
        "try tries tried trying",
        "signify signified signifies",
        "happy happiness",
        "die died",
    ],
)
def test_forms_of_a_word_share_a_stem(forms: str) -> None:
    assert len({stem(form) for form in forms.split()}) == 1
