"""Two runs are compared question by question, and only on the same golden data."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from evals.__main__ import main
from evals.comparison.compare import Comparison, compare
from evals.comparison.runs import previous_run, read_run
from evals.comparison.section import section
from rag_core.errors import InvalidInput

QUESTIONS = [f"q{number}" for number in range(40)]
MEASURES = {
    "fact_recall": {"about": "", "better": "higher", "unit": ""},
    "false_refusal": {"about": "", "better": "lower", "unit": ""},
    "isolation_leaks": {"about": "", "better": "lower", "unit": "leaks"},
    "latency_ms": {"about": "", "better": "lower", "unit": "ms"},
    "input_tokens": {"about": "", "better": "lower", "unit": "tokens"},
}


def summary() -> dict[str, Any]:
    """A run as `evals run` writes it, as far as a comparison reads it."""
    rows: dict[str, dict[str, Any]] = {
        name: {question: {"value": 0.0} for question in QUESTIONS} for name in MEASURES
    }
    for place, question in enumerate(QUESTIONS):
        rows["fact_recall"][question] = {"value": place % 5 / 4}
        rows["input_tokens"][question] = {"value": 900.0 + place}
        rows["latency_ms"][question] = {"value": 50.0 + place}
    answers = {
        question: {"question": f"What of {question}?", "text": f"It is {question}.", "group": ""}
        for question in QUESTIONS
    }
    result = {
        "facts": {"golden data digest": "a" * 64},
        "data": {"summary": {"rows": rows, "measures": MEASURES}, "answers": answers},
    }
    return {"notebooks": {"01_quality": {"problem": "", "result": result}}}


def write(folder: Path, run: dict[str, Any]) -> Path:
    folder.mkdir(parents=True)
    (folder / "summary.json").write_text(json.dumps(run))
    return folder


def changed(measure: str, by: float, *, every: int = 1) -> dict[str, Any]:
    """The run with one measure of every so many questions changed."""
    run = deepcopy(summary())
    rows = of(run)["summary"]["rows"][measure]
    for question in QUESTIONS[::every]:
        rows[question] = {"value": rows[question]["value"] + by}
    return run


def of(run: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = run["notebooks"]["01_quality"]["result"]["data"]
    return data


def compared(tmp_path: Path, after: dict[str, Any]) -> Comparison:
    before = read_run(write(tmp_path / "one", summary()))
    return compare(before, read_run(write(tmp_path / "two", after)))


def verdicts(comparison: Comparison) -> dict[str, str]:
    return {change.measure: change.verdict for change in comparison.changes}


def test_a_run_compared_with_its_like_differs_in_nothing(tmp_path: Path) -> None:
    """Its times, the last digits of a score and a token more apart."""
    again = changed("latency_ms", 9.0)
    for row in of(again)["summary"]["rows"]["fact_recall"].values():
        row["value"] += 1e-7
    for row in of(again)["summary"]["rows"]["input_tokens"].values():
        row["value"] += 1
    found = compared(tmp_path, again)
    assert found.same
    assert {change.verdict for change in found.judged} == {"no difference seen"}
    assert section(found).cases == ()
    assert "Nothing differs" in section(found).verdict


@pytest.mark.parametrize(
    ("measure", "by", "said"),
    [
        ("fact_recall", 0.25, "better"),
        ("fact_recall", -0.25, "worse"),
        ("false_refusal", 1.0, "worse"),
        ("input_tokens", -300.0, "better"),
    ],
)
def test_a_change_is_better_or_worse_by_its_measures_direction(
    tmp_path: Path, measure: str, by: float, said: str
) -> None:
    found = compared(tmp_path, changed(measure, by, every=2))
    others = dict.fromkeys(set(MEASURES) - {measure}, "no difference seen")
    assert verdicts(found) == {measure: said, **others}


def test_a_change_of_one_question_is_no_difference_seen_but_shown(tmp_path: Path) -> None:
    after = changed("fact_recall", 0.5, every=len(QUESTIONS))
    of(after)["answers"]["q0"]["text"] = "It is something else."
    of(after)["answers"]["q7"]["text"] = "It is the same in other words."
    found = compared(tmp_path, after)
    assert set(verdicts(found).values()) == {"no difference seen"}
    assert list(found.questions) == ["q0", "q7"]
    first = section(found).cases[0]
    texts = [block.text for _, blocks in first.columns for block in blocks]
    assert texts == ["It is q0.", "It is something else."]
    assert first.summary == "What of q0?"


def test_an_unscored_question_is_counted_and_shown(tmp_path: Path) -> None:
    after = summary()
    of(after)["summary"]["rows"]["fact_recall"]["q3"] = {"unscored": "call failed"}
    found = compared(tmp_path, after)
    (change,) = (change for change in found.changes if change.measure == "fact_recall")
    assert (change.difference.n, change.difference.unscored) == (39, 1)
    assert list(found.questions) == ["q3"]


def test_two_runs_of_which_one_measured_nothing_are_not_the_same(tmp_path: Path) -> None:
    failed = summary()
    failed["notebooks"]["01_quality"]["problem"] = "nothing was measured (n = 0)"
    said = section(compared(tmp_path, failed)).verdict
    assert said == "Nothing can be said: a run failed (two: nothing was measured (n = 0))."


def test_dollars_are_those_of_so_many_questions_that_digits_are_left(tmp_path: Path) -> None:
    runs = [deepcopy(summary()), deepcopy(summary())]
    for run, usd in zip(runs, (0.0002, 0.0003), strict=True):
        of(run)["summary"]["measures"] = MEASURES | {"cost_usd": {"about": "", "unit": "USD"}}
        of(run)["summary"]["rows"]["cost_usd"] = {q: {"value": usd} for q in QUESTIONS}
    before, after = (write(tmp_path / str(n), run) for n, run in enumerate(runs))
    rows = {
        row[0]: row for row in section(compare(read_run(before), read_run(after))).tables[0].rows
    }
    assert rows["cost usd, USD of 1,000 questions"][1:4] == pytest.approx((0.2, 0.3, 0.1))


def test_the_run_before_is_the_latest_of_the_same_golden_data(tmp_path: Path) -> None:
    other = summary()
    other["notebooks"]["01_quality"]["result"]["facts"]["golden data digest"] = "b" * 64
    names = {"2026-01": summary(), "2026-02": summary(), "2026-03": other, "2026-05": summary()}
    for name, run in names.items():
        write(tmp_path / name, run)
    run = write(tmp_path / "2026-04", summary())
    (tmp_path / "2026-02b").mkdir()
    assert previous_run(tmp_path, run) == tmp_path / "2026-02"
    assert previous_run(tmp_path, tmp_path / "2026-01") is None


def test_runs_of_other_golden_data_are_refused(tmp_path: Path) -> None:
    other = summary()
    other["notebooks"]["01_quality"]["result"]["facts"]["golden data digest"] = "b" * 64
    with pytest.raises(InvalidInput, match="golden data"):
        compared(tmp_path, other)


def _failed() -> dict[str, Any]:
    return {"notebooks": {"01_quality": {"problem": "its kernel died", "result": None}}}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "cannot be read"),
        ("{", "no JSON"),
        ("[]", "no result of 01_quality"),
        (json.dumps({"notebooks": {}}), "no result of 01_quality"),
        (json.dumps(_failed()), "its kernel died"),
        (json.dumps({"notebooks": {"01_quality": {"result": {"data": {}}}}}), "no summary"),
    ],
)
def test_what_is_no_run_is_named_in_a_line(
    tmp_path: Path, text: str | None, named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = write(tmp_path / "good", summary()), tmp_path / "bad"
    bad.mkdir()
    if text is not None:
        (bad / "summary.json").write_text(text)
    assert main(["compare", str(good), str(bad)]) == 2
    printed = capsys.readouterr().err
    assert named in printed
    assert printed.count("\n") == 1


def test_the_command_prints_the_table_and_the_answers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = write(tmp_path / "one", summary())
    two = write(tmp_path / "two", changed("fact_recall", -0.25, every=2))
    assert main(["compare", str(one), str(two / "summary.json")]) == 0
    printed = capsys.readouterr().out
    assert "fact recall" in printed
    assert "It is q0." in printed
    assert main(["compare", str(one), str(two), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "Since one"


def test_what_the_runs_were_made_with_is_said_where_it_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, prompt in (("one", "a" * 12), ("two", "b" * 12)):
        folder = write(tmp_path / name, summary())
        settings = {"top_k": 5, "prompt_file": f"{name}.txt", "home": name}
        told = {"models": {"prompt version": prompt}, "settings": settings}
        (folder / "manifest.json").write_text(json.dumps(told))
    assert main(["compare", str(tmp_path / "one"), str(tmp_path / "two")]) == 0
    said = capsys.readouterr().out
    assert f"prompt version: {'a' * 12} → {'b' * 12}" in said
    assert "prompt_file: one.txt → two.txt" in said
    assert "top_k:" not in said
    assert "home:" not in said
