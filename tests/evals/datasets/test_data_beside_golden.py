"""What stands beside the golden data: fresh claims, claims and questions to teach models by."""

from __future__ import annotations

import itertools
import json
from collections import Counter, defaultdict
from typing import Any

import pytest

from evals.datasets.golden import FRESH, RETRIEVAL, load
from evals.project import GOLDEN

READING = "reading/claims.jsonl"


def rows(file: str) -> list[dict[str, Any]]:
    """Rows with the id of their passage, which is `source` where golden claims are read."""
    read = map(json.loads, (GOLDEN / file).read_text(encoding="utf-8").splitlines())
    return [{"passage": row.get("source"), **row} for row in read]


@pytest.mark.parametrize("file", [FRESH, READING])
def test_each_stands_on_words_of_its_passage(file: str) -> None:
    golden, claims = load(GOLDEN), rows(file)
    astray = [each["id"] for each in claims if each["evidence"] not in golden.text(each["passage"])]
    assert claims
    assert astray == []


@pytest.mark.parametrize("file", [FRESH, READING])
def test_each_passage_has_as_many_right_as_wrong_and_none_twice(file: str) -> None:
    verdicts: dict[str, list[bool]] = defaultdict(list)
    for each in (claims := rows(file)):
        verdicts[each["passage"]].append(each["supported"])
        assert each["group"].endswith(each["passage"]), "claims on one passage hang together"
    uneven = [passage for passage, found in verdicts.items() if 2 * sum(found) != len(found)]
    assert uneven == []
    for field in ("id", "claim"):
        assert [
            value for value, n in Counter(each[field] for each in claims).items() if n > 1
        ] == []


def test_counterparts_turn_the_verdict_of_a_claim_that_is_there() -> None:
    claims = {each["id"]: each for each in rows(READING)}
    turned = rows("reading/turned.jsonl")
    assert turned
    assert all(each["supported"] != claims[each["of"]]["supported"] for each in turned)
    said = [each["claim"] for each in (*claims.values(), *turned)]
    assert len(set(said)) == len(said)
    assert len({each["of"] for each in turned}) == len(turned)


def test_no_two_files_share_a_note_and_none_has_one_that_test_asks_about() -> None:
    golden = load(GOLDEN)
    notes = {
        file: {golden.passages[each["passage"]].note for each in rows(file)}
        for file in (FRESH, READING)
    }
    assert notes[FRESH] & notes[READING] == set()
    claimed = {claim.source for claim in golden.claims}
    assert {each["passage"] for file in notes for each in rows(file)} & claimed == set()
    tested = {
        golden.passages[passage].note
        for question in golden.questions
        if question.split == "test"
        for passage in question.gold
    }
    assert tested & (notes[FRESH] | notes[READING]) == set()


def test_questions_to_teach_by_are_of_notes_that_no_golden_question_is_about() -> None:
    golden, taught = load(GOLDEN), rows("teaching/questions.jsonl")
    invented = {row["id"]: row["body"] for row in rows("teaching/notes.jsonl")}
    assert invented
    assert {each["passage"] for each in taught} >= invented.keys()
    asked_of = {each["passage"] for each in taught} - invented.keys()
    notes = {(golden.passages[each].user, golden.passages[each].note) for each in asked_of}
    asked = (*golden.questions, *load(GOLDEN, RETRIEVAL).questions)
    about = {name for question in asked for name in (*question.gold, *question.foreign_gold)}
    about |= {claim.source for claim in golden.claims}
    others = {golden.passages[name] for name in about}
    assert notes & {(passage.user, passage.note) for passage in others} == set()


def test_each_passage_to_teach_by_has_a_question_of_each_kind_and_none_stands_twice() -> None:
    taught = rows("teaching/questions.jsonl")
    kinds = Counter((each["passage"], each["kind"]) for each in taught)
    passages = {each["passage"] for each in taught}
    wanted = ("other", "casual", "detail", "theme")
    assert kinds == Counter(dict.fromkeys(itertools.product(passages, wanted), 1))
    for field in ("id", "question"):
        assert len({each[field] for each in taught}) == len(taught)
