"""Labelled questions beside what the rules say of them, and what is said of that."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.classes.confusion import Confusion
from evals.classes.questions import FILE, LabelledQuestion, read_labelled
from evals.classes.result import confusion_in, confusion_part
from evals.datasets.golden import load
from evals.project import GOLDEN
from rag_core.domain import QuestionClass, normalise

LOOK_UP, LIST = QuestionClass.LOOK_UP, QuestionClass.LIST
SUMMARY, CHIT_CHAT = QuestionClass.SUMMARY, QuestionClass.CHIT_CHAT

ROWS = [
    {"id": "1", "class": "look_up", "question": "Who was Boaz?"},
    {"id": "2", "class": "look_up", "question": "Which disciples did I say fell asleep?"},
    {"id": "3", "class": "list", "question": "List my notes on grace"},
    {"id": "4", "class": "list", "question": "hymns for harvest, any I had"},
    {"id": "5", "class": "summary", "question": "Summarise\u00a0 what I wrote on Job."},
    {"id": "6", "class": "list", "question": "top five texts"},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "questions.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in ROWS), encoding="utf-8")
    return path


def test_at_least_twenty_golden_questions_are_of_each_class_and_none_is_there_twice() -> None:
    rows = read_labelled(GOLDEN / FILE)
    assert all(n >= 20 for n in Counter(row.kind for row in rows).values())
    assert {row.kind for row in rows} == set(QuestionClass)
    texts = Counter(normalise(row.question).casefold() for row in rows)
    assert max(texts.values()) == 1
    others = {normalise(each.question).casefold() for each in load(GOLDEN).questions}
    assert texts.keys().isdisjoint(others)


def test_a_class_is_counted_by_what_it_is_and_by_what_the_rules_say(file: Path) -> None:
    confusion = Confusion.of(read_labelled(file))
    assert confusion.counts(LOOK_UP) == {LOOK_UP: 1, LIST: 1}
    assert confusion.counts(LIST) == {LOOK_UP: 2, LIST: 1}
    assert (confusion.accuracy.hits, confusion.accuracy.n) == (3, 6)

    recall, precision = confusion.recall(SUMMARY), confusion.precision(LOOK_UP)
    assert recall is not None
    assert precision is not None
    assert (recall.hits, recall.n, precision.hits, precision.n) == (1, 1, 1, 3)
    assert 0 < precision.share.low < 1 / 3 < precision.share.high < 1
    assert confusion.recall(CHIT_CHAT) is confusion.precision(CHIT_CHAT) is None


def test_a_wrong_class_is_told_from_one_that_was_not_noticed(file: Path) -> None:
    confusion = Confusion.of(read_labelled(file))
    assert [each.row.id for each in confusion.misled] == ["2"]
    assert [each.row.id for each in confusion.unnoticed] == ["4", "6"]


def test_the_command_prints_the_matrix_and_names_what_was_taken_for_another(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["classes", str(file)]) == 0
    printed = capsys.readouterr().out
    cells = {line.split()[0]: line.split()[1:6] for line in printed.splitlines() if line.split()}
    assert cells["look_up"] == ["2", "1", "1", "0", "0"]
    assert cells["list"] == ["3", "2", "1", "0", "0"]
    assert cells["summary"] == ["1", "0", "0", "1", "0"]
    assert cells["chit_chat"] == ["0", "0", "0", "0", "0"]
    assert "right: 3 (50%; " in printed
    assert "2 'Which disciples did I say fell asleep?': look_up, taken for list" in printed


def test_json_names_every_question(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["classes", str(file), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [each["id"] for each in printed["questions"]] == ["1", "2", "3", "4", "5", "6"]
    assert printed["questions"][3] == {"id": "4", "class": "list", "by_rules": "look_up"}
    assert printed["classes"]["list"]["said"] == {
        **{"look_up": 2, "list": 1},
        **{"summary": 0, "chit_chat": 0},
    }
    assert printed["classes"]["chit_chat"]["recall"] is None


def test_a_folder_without_labelled_questions_says_that_nothing_was_measured(
    tmp_path: Path,
) -> None:
    part = confusion_part(confusion_in(tmp_path), tmp_path / "01.json")
    assert "is not measured" in part.verdict
    assert (part.pictures, part.tables) == ((), ())


def test_the_report_has_the_counts_with_their_intervals(file: Path, tmp_path: Path) -> None:
    part = confusion_part(Confusion.of(read_labelled(file)), tmp_path / "01.json")
    assert "the class of 3 of 6 labelled questions, 50 % [" in part.verdict
    assert "2 are left look-ups, and 1 get another class's budgets" in part.verdict
    (picture,) = part.pictures
    assert (tmp_path / picture.file).is_file()
    assert "Of 3 list questions the rules say: 2 look-up, 1 list." in picture.alt
    rows = {row[0]: row for row in part.tables[0].rows}
    assert rows["look-up"][1:6] == (2, 1, 1, 0, 0)
    assert rows["chit-chat"] == ("chit-chat", 0, 0, 0, 0, 0, "not measured", "not measured", 0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no question"),
        ("{", "line 1: is not valid JSON"),
        ('{"id": "1", "class": "rant", "question": "Why?"}', "line 1, field class: "),
        ('{"id": "1", "class": "list", "question": ""}', "line 1, field question: "),
        ('{"id": "1", "class": "list"}', "line 1, field question: "),
        (f"{json.dumps(ROWS[0])}\n{json.dumps(ROWS[0])}", "line 2, field id: "),
    ],
)
def test_a_mistake_in_a_file_is_one_line_and_exit_code_2(
    text: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text(text, encoding="utf-8")
    assert main(["classes", str(path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {path}")
    assert says in said
    assert said.count("\n") == 1


def test_a_class_that_is_none_is_told_which_there_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "mine.jsonl"
    path.write_text('{"id": "1", "class": "rant", "question": "Why?"}', encoding="utf-8")
    main(["classes", str(path)])
    assert "look_up, list, summary, chit_chat" in capsys.readouterr().err


def test_rows_are_classed_as_the_pipeline_would() -> None:
    row = LabelledQuestion(id="1", kind=SUMMARY, question="Summa\u200brise my notes on Ruth")
    assert Confusion.of([row]).accuracy.hits == 1
