"""A golden folder of one's own: what may be left out, gold by note, hashes, and the scaffold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.datasets.golden import GoldenQuestion, Scenario, load
from evals.datasets.golden_checks import check_folder
from evals.datasets.golden_hashes import write_hashes

ANN = [
    {"id": "a", "title": "A", "body": "## Light\n\nIt is good.\n\n## Dark\n\nIt was there before."},
    {"id": "b#1", "title": "B", "body": "Bread."},
]
BEN = [{"id": "a", "title": "A", "body": "A note of another."}]
LONG = "why " * 151


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def own(folder: Path, *questions: dict[str, Any]) -> Path:
    """A folder of two users' notes and these questions, each of ann unless it says otherwise."""
    write(folder / "notes" / "ann.jsonl", ANN)
    write(folder / "notes" / "ben.jsonl", BEN)
    rows = [{"id": f"q{n}", "user": "ann", "question": "Why?"} | q for n, q in enumerate(questions)]
    write(folder / "questions.jsonl", rows)
    return folder


def question(folder: Path, **fields: object) -> GoldenQuestion:
    return load(own(folder, fields)).questions[0]


@pytest.mark.parametrize(
    ("gold", "text"),
    [
        ("a", ANN[0]["body"]),
        ("a#Dark", "It was there before."),
        ("b#1", "Bread."),
        ("ann/a#Light", "It is good."),
    ],
)
def test_gold_names_a_note_or_what_stands_under_a_heading(
    tmp_path: Path, gold: str, text: str
) -> None:
    golden = load(own(tmp_path, {"gold": [gold], "reference": "So."}))
    assert golden.text(golden.questions[0].gold[0]) == text
    assert check_folder(tmp_path) == []


def test_a_note_is_one_passage_unless_questions_cut_it(tmp_path: Path) -> None:
    whole = load(own(tmp_path / "whole", {}))
    assert set(whole.passages) == {"ann/a", "ann/b#1", "ben/a"}
    cut = load(own(tmp_path / "cut", {"gold": ["a#Light"], "reference": "So."}))
    assert set(cut.passages) == {"ann/a#Light", "ann/b#1", "ben/a"}


def test_another_users_note_is_named_with_the_user(tmp_path: Path) -> None:
    asked = question(tmp_path, foreign_gold=["ben/a"])
    assert asked.scenario is Scenario.OTHER_USERS_NOTES
    assert load(tmp_path).text(asked.foreign_gold[0]) == BEN[0]["body"]
    assert check_folder(tmp_path) == []


@pytest.mark.parametrize(
    ("fields", "scenario"),
    [
        ({}, Scenario.UNANSWERABLE),
        ({"gold": ["a"]}, Scenario.SINGLE_NOTE),
        ({"gold": ["a#Light", "a#Dark"]}, Scenario.SINGLE_NOTE),
        ({"gold": ["a", "b#1"]}, Scenario.SEVERAL_NOTES),
        ({"gold": ["a", "b#1"], "alternatives": [["a"], ["b#1"]]}, Scenario.SINGLE_NOTE),
        ({"gold": ["a"], "question": LONG}, Scenario.OVER_LONG),
        ({"gold": ["a"], "scenario": "negation"}, Scenario.NEGATION),
    ],
)
def test_a_scenario_left_out_follows_from_the_rest(
    tmp_path: Path, fields: dict[str, Any], scenario: Scenario
) -> None:
    assert question(tmp_path, reference="So.", **fields).scenario is scenario
    assert check_folder(tmp_path) == []


def test_every_mistake_is_told_in_one_run_with_file_line_field_and_fix(tmp_path: Path) -> None:
    own(
        tmp_path,
        {"gold": ["c"], "reference": "So."},
        {"qestion": "?"},
        {"user": "eve"},
        {"gold": ["a"], "facts": [{"fact": "f", "passage": "a", "quote": "not there"}]},
        {"gold": ["b#1"], "reference": "So.", "group": "g", "split": "dev"},
        {"gold": ["b#1"], "reference": "So.", "group": "g", "split": "test"},
        {"second_reader": "perhaps"},
    )
    write(tmp_path / "notes" / "ben.jsonl", [*BEN, {"id": "d", "title": "", "body": " "}])
    problems = check_folder(tmp_path)
    told = {problem.removeprefix(f"{tmp_path}/").partition(": ")[0] for problem in problems}
    assert told == {
        "questions.jsonl:1, field gold",
        "questions.jsonl:2, field qestion",
        "questions.jsonl:3, field user",
        "questions.jsonl:4, field facts[0].quote",
        "questions.jsonl:4, field reference",
        "questions.jsonl:6, field split",
        "questions.jsonl:7, field second_reader",
        "notes/ben.jsonl:2, field body",
    }


def test_a_row_that_cannot_be_read_is_not_told_again_as_missing_elsewhere(tmp_path: Path) -> None:
    own(tmp_path, {"gold": ["c"], "reference": "So."}, {"twin": "q2"}, {"id": "q2", "gold": 7})
    write(tmp_path / "notes" / "ann.jsonl", [*ANN, {"id": "c", "title": "", "body": 7}])
    problems = "\n".join(check_folder(tmp_path))
    assert "notes/ann.jsonl:3, field body" in problems
    assert "questions.jsonl:3, field gold" in problems
    assert problems.count("\n") == 1


@pytest.mark.parametrize(
    "edit", [{"question": "How?"}, {"gold": ["b#1"]}, {"facts": []}, {"hash": "0" * 12}]
)
def test_an_edit_after_the_hash_was_written_shows(tmp_path: Path, edit: dict[str, Any]) -> None:
    fact = {"fact": "f", "passage": "a#Dark", "quote": "It was"}
    own(tmp_path, {"gold": ["a#Dark"], "reference": "So.", "facts": [fact]}, {})
    assert write_hashes(tmp_path) == 2
    assert check_folder(tmp_path) == []
    assert write_hashes(tmp_path) == 0
    rows = [json.loads(line) for line in (tmp_path / "questions.jsonl").read_text().splitlines()]
    write(tmp_path / "questions.jsonl", [rows[0] | {"kind": "k", "split": "test"}, rows[1]])
    assert check_folder(tmp_path) == [], "what is no text, gold or fact may change"
    write(tmp_path / "questions.jsonl", [rows[0] | edit, rows[1]])
    assert any(":1, field hash: q0" in problem for problem in check_folder(tmp_path))


def test_hashes_are_not_written_over_mistakes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own(tmp_path, {"gold": ["c"], "reference": "So."})
    before = (tmp_path / "questions.jsonl").read_text()
    assert main(["validate", str(tmp_path), "--write-hashes"]) == 3
    assert (tmp_path / "questions.jsonl").read_text() == before
    own(tmp_path, {"gold": ["a"], "reference": "So."})
    assert main(["validate", str(tmp_path), "--write-hashes"]) == 0
    assert "1 hashes changed" in capsys.readouterr().out


def test_the_scaffold_is_valid_and_explains_every_field_and_overwrites_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "mine"
    assert main(["scaffold", str(folder)]) == 0
    assert main(["validate", str(folder)]) == 0
    readme = (folder / "README.md").read_text()
    for name in (*GoldenQuestion.__struct_fields__, *Scenario, "body", "tags"):
        assert f"`{name}`" in readme, name
    asked = {question.scenario for question in load(folder).questions}
    assert asked >= {Scenario.SINGLE_NOTE, Scenario.UNANSWERABLE, Scenario.OTHER_USERS_NOTES}
    (folder / "README.md").write_text("mine")
    assert main(["scaffold", str(folder)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (folder / "README.md").read_text() == "mine"
