"""The fresh claims that ship: about passages of ours, and of none that anything was fitted to."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from evals.datasets.golden import FRESH, load
from evals.project import GOLDEN

ROWS = [json.loads(line) for line in (GOLDEN / FRESH).read_text(encoding="utf-8").splitlines()]


def test_each_stands_on_words_of_its_passage() -> None:
    golden = load(GOLDEN)
    astray = [each["id"] for each in ROWS if each["evidence"] not in golden.text(each["passage"])]
    assert astray == []


def test_each_passage_has_as_many_right_as_wrong_and_none_twice() -> None:
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for each in ROWS:
        verdicts[each["passage"]].append(each["supported"])
        assert each["group"] == f"f-{each['passage']}", "claims on one passage hang together"
    uneven = [passage for passage, found in verdicts.items() if 2 * sum(found) != len(found)]
    assert uneven == []
    for field in ("id", "claim"):
        assert [value for value, n in Counter(each[field] for each in ROWS).items() if n > 1] == []


def test_they_are_on_no_passage_of_another_claim_and_on_no_note_that_test_asks_about() -> None:
    golden = load(GOLDEN)
    passages = {each["passage"] for each in ROWS}
    assert passages & {claim.source for claim in golden.claims} == set()
    tested = {
        golden.passages[passage].note
        for question in golden.questions
        if question.split == "test"
        for passage in question.gold
    }
    assert tested & {golden.passages[passage].note for passage in passages} == set()
