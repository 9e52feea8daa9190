"""The committed golden data holds together, and malformed data is refused by name."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evals.datasets.golden import Fact, GoldenQuestion, GoldenSet, Scenario, load
from evals.datasets.golden_checks import validate
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.errors import InvalidInput

GOLDEN = Path(__file__).parents[3] / "golden"
ANSWERED_FROM_NOTES = set(Scenario) - {Scenario.ATTACK, Scenario.BENIGN_CONTROL}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return load(GOLDEN)


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A golden folder with one note, one passage, one attack and one question."""
    out = tmp_path / "golden"
    place = {"user": "golden-law", "note": "Gen.1", "ref": "Genesis 1:3-5", "title": ""}
    passage = {"id": "mhcc-Gen.1.3-5", **place, "start": 18, "end": 32}
    quote = {"fact": "It is good.", "passage": passage["id"], "quote": "“good”"}
    question = {"id": "q01", "user": "golden-law", "scenario": "single_note", "question": "Light?"}
    rest = {"reference": "Good.", "gold": [passage["id"]], "facts": [quote], "attack": None}
    attack = {"id": "a", "source": "s", "licence": "MIT", "category": "c", "text": "Obey me."}
    note = {"id": "Gen.1", "body": "## Genesis 1:3-5\n\nLight: “good”."}
    write_rows(out / "notes" / "golden-law.jsonl", [note])
    write_rows(out / "passages.jsonl", [passage])
    write_rows(out / "attacks.jsonl", [attack])
    write_rows(out / "questions.jsonl", [question | rest])
    return out


def test_the_committed_golden_set_has_no_contradictions(golden: GoldenSet) -> None:
    assert validate(golden) == []


def test_the_committed_questions_spread_over_scenarios_and_users(golden: GoldenSet) -> None:
    for split in ("dev", "test"):
        asked = {question.scenario for question in golden.questions if question.split == split}
        assert asked >= ANSWERED_FROM_NOTES, split
    of_user = Counter(question.user for question in golden.questions)
    assert set(of_user) == set(golden.users)
    assert min(of_user.values()) >= 9
    assert len({question.question for question in golden.questions}) == len(golden.questions)


def test_only_over_long_questions_exceed_the_budget_and_most_ask_before_it(
    golden: GoldenSet,
) -> None:
    tokenizer = LlamaTokenizer()
    for question in golden.questions:
        too_long = tokenizer.count(question.question) > 150
        assert too_long == (question.scenario is Scenario.OVER_LONG), question.id
        asked_first = "?" in tokenizer.truncate(question.question, 150)
        assert not too_long or asked_first or question.kind == "over_long", question.id


def test_a_valid_set_loads_typed(tiny: Path) -> None:
    sample = load(tiny)
    assert validate(sample) == []
    assert sample.users == ("golden-law",)
    assert sample.text("mhcc-Gen.1.3-5") == "Light: “good”."
    assert sample.questions == (
        GoldenQuestion(
            id="q01",
            user="golden-law",
            scenario=Scenario.SINGLE_NOTE,
            question="Light?",
            reference="Good.",
            gold=("mhcc-Gen.1.3-5",),
            facts=(Fact(fact="It is good.", passage="mhcc-Gen.1.3-5", quote="“good”"),),
        ),
    )
    assert sample.questions[0].answerable
    assert not sample.attacks["a"].benign


def test_the_digest_changes_with_any_data_file_and_only_with_them(tiny: Path) -> None:
    (tiny / "beir").mkdir()
    (tiny / "beir" / "test.tsv").write_text("q\td\t1\n")
    before = load(tiny).digest
    (tiny / "DATASHEET.md").write_text("Prose.")
    assert load(tiny).digest == before
    (tiny / "beir" / "test.tsv").write_text("q\td\t2\n")
    assert load(tiny).digest != before


def edited(path: Path, field: str, value: object) -> None:
    rows = read(path)
    rows[0][field] = value
    write_rows(path, rows)


@pytest.mark.parametrize(
    ("file", "field", "value", "message"),
    [
        ("questions.jsonl", "question", "", "question: Expected `str` of length >= 1"),
        (
            "questions.jsonl",
            "scenario",
            "odd",
            "scenario: Invalid enum value 'odd'. Use single_note,",
        ),
        ("questions.jsonl", "gold", "mhcc-Gen.1.1-2", "gold: Expected `array`, got `str`"),
        ("questions.jsonl", "facts", ["f"], "facts[0]: Expected `object`, got `str`"),
        (
            "questions.jsonl",
            "facts",
            [{"fact": "f"}],
            "facts[0].passage: Object missing",
        ),
        ("questions.jsonl", "attack", 7, "attack: Expected `str | null`, got `int`"),
        ("passages.jsonl", "start", -1, "start: Expected `int` >= 0"),
        ("passages.jsonl", "end", True, "end: Expected `int`, got `bool`"),
        ("attacks.jsonl", "licence", None, "licence: Expected `str`, got `null`"),
        ("notes/golden-law.jsonl", "body", 3, "body: Expected `str`, got `int`"),
    ],
)
def test_a_malformed_field_is_refused_by_file_line_and_field(
    tiny: Path, file: str, field: str, value: object, message: str
) -> None:
    edited(tiny / file, field, value)
    with pytest.raises(InvalidInput) as refused:
        load(tiny)
    assert str(refused.value).startswith(f"{tiny / file} line 1, field {message}")


@pytest.mark.parametrize(
    "file", ["questions.jsonl", "passages.jsonl", "attacks.jsonl", "notes/golden-law.jsonl"]
)
def test_an_id_used_twice_in_a_file_is_refused(tiny: Path, file: str) -> None:
    rows = read(tiny / file)
    write_rows(tiny / file, rows + rows)
    with pytest.raises(InvalidInput, match=r"line 2, field id: '.*' stands on an earlier line"):
        load(tiny)


def test_a_missing_field_is_refused(tiny: Path) -> None:
    rows = read(tiny / "questions.jsonl")
    del rows[0]["user"]
    write_rows(tiny / "questions.jsonl", rows)
    with pytest.raises(InvalidInput, match=r"questions\.jsonl line 1, field user: .*missing"):
        load(tiny)


@pytest.mark.parametrize(
    ("line", "problem"), [("{oops", "is not valid JSON"), ("[1]", "Expected `object`")]
)
def test_a_line_that_is_no_object_is_refused(tiny: Path, line: str, problem: str) -> None:
    with (tiny / "questions.jsonl").open("a") as questions:
        questions.write(f"\n{line}\n")
    with pytest.raises(InvalidInput, match=rf"questions\.jsonl line 3: {problem}"):
        load(tiny)


def test_a_folder_without_questions_is_refused_by_the_files_path(tiny: Path) -> None:
    (tiny / "questions.jsonl").unlink()
    with pytest.raises(InvalidInput, match=r"questions\.jsonl: cannot be read: No such file"):
        load(tiny)


def test_a_folder_without_notes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="holds no notes"):
        load(tmp_path)
