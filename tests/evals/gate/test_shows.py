"""What the gate says of ten candidates, with its exit code and what it writes of each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest

from evals.gate.command import write
from evals.gate.finding import Judgement, Status
from evals.gate.verdict import judge_folders
from tests.evals.gate.recorded_runs import POLICY, QUERIES, QUESTIONS, RecordedRun, write_probe


def judged(tmp_path: Path, candidate: RecordedRun, *, slower: float = 0.0) -> Judgement:
    before = RecordedRun().write(tmp_path / "before")
    after = write_probe(candidate.write(tmp_path / "after"), slower=slower)
    return judge_folders(before, after, POLICY)


def blamed(judgement: Judgement) -> set[str]:
    """The figures that are as grave as the verdict."""
    return {found.name for found in judgement.of(judgement.status)}


def identical(run: RecordedRun) -> None:
    """Nothing is changed."""


def broken_chunker(run: RecordedRun) -> None:
    """Half of the passages are found no more, and what they held is not stated."""
    run.change("R@5", -1, every=2).change("fact_recall", -0.5, every=2)


def worse_prompt(run: RecordedRun) -> None:
    """One fact in three is not stated; search is as it was."""
    run.change("fact_recall", -0.5, every=3)


def negating_generator(run: RecordedRun) -> None:
    """The notes say otherwise than the answers, whose words are nearly the same."""
    run.change("groundedness", -1, every=4)
    for question in QUESTIONS[::4]:
        run.say(question, f"It is not {question}.")


def doubled_context(run: RecordedRun) -> None:
    """Twice the tokens go in, and no answer becomes better."""
    run.amounts["dollars per 1,000 requests"] *= 1.9


def missing_result(run: RecordedRun) -> None:
    """A notebook did not run."""
    run.absent.add("02_retrieval")


def empty_run(run: RecordedRun) -> None:
    """Notebooks ran, and scored nothing."""
    run.rows = {measure: {} for measure in run.rows}
    run.headings = {}


def another_dataset(run: RecordedRun) -> None:
    """Questions of the same names on other notes."""
    run.hashes = {question: f"other hash of {question}" for question in QUESTIONS}


def edited_question(run: RecordedRun) -> None:
    """One question was rewritten, and is answered otherwise."""
    run.hashes["q3"] = "another hash"
    run.rows["fact_recall"]["q3"] = {"value": 0.0}


def server_failed(run: RecordedRun) -> None:
    """The database went away."""
    run.problems["01_quality"] = ("cell [2] failed: DatabaseUnavailable", 4)


CASES: list[tuple[Callable[[RecordedRun], None], float, Status, int, set[str]]] = [
    (identical, 0.0, Status.PASS, 0, set()),
    (broken_chunker, 0.0, Status.REGRESSION, 1, {"R@5 (golden)", "fact_recall (golden)"}),
    (worse_prompt, 0.0, Status.REGRESSION, 1, {"fact_recall (golden)"}),
    (negating_generator, 0.0, Status.REGRESSION, 1, {"groundedness (golden)"}),
    (identical, 0.3, Status.REGRESSION, 1, {"retrieval"}),
    (doubled_context, 0.0, Status.REGRESSION, 1, {"dollars per 1,000 requests"}),
    (missing_result, 0.0, Status.INVALID, 3, {"02_retrieval, candidate", "R@5 (headings, exact)"}),
    (another_dataset, 0.0, Status.INVALID, 3, {"data of golden"}),
    (edited_question, 0.0, Status.PASS, 0, set()),
    (server_failed, 0.0, Status.INFRASTRUCTURE, 4, {"01_quality, candidate"}),
]


@pytest.mark.parametrize(
    ("change", "slower", "status", "code", "names"),
    CASES,
    ids=[f"{change.__name__} {slower or ''}".strip() for change, slower, *_ in CASES],
)
def test_the_gate_says_of_a_candidate(
    tmp_path: Path,
    change: Callable[[RecordedRun], None],
    slower: float,
    status: Status,
    code: int,
    names: set[str],
) -> None:
    run = RecordedRun()
    change(run)
    judgement = judged(tmp_path, run, slower=slower)
    assert (judgement.status, judgement.exit_code) == (status, code)
    assert code == 0 or names <= blamed(judgement)
    write(judgement, tmp_path / "out")
    for name in names:
        assert name in (tmp_path / "out" / "gate.md").read_text()
        assert name in (tmp_path / "out" / "gate.html").read_text()
    suite = ElementTree.parse(tmp_path / "out" / "gate.xml").getroot()
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    assert (failed > 0) == (code in (1, 3, 4))


def test_a_run_that_scored_nothing_is_invalid_and_so_is_a_folder_without_one(
    tmp_path: Path,
) -> None:
    run = RecordedRun()
    empty_run(run)
    assert judged(tmp_path, run).exit_code == 3
    (tmp_path / "nothing").mkdir()
    judgement = judge_folders(tmp_path / "before", tmp_path / "nothing", POLICY)
    assert judgement.exit_code == 3
    assert "holds no run" in judgement.findings[0].sentence


def test_an_edited_question_is_set_aside_and_counted(tmp_path: Path) -> None:
    run = RecordedRun()
    edited_question(run)
    found = {each.name: each for each in judged(tmp_path, run).findings}
    assert "119 of 120 questions are compared; 1 were edited" in found["data of golden"].sentence
    assert found["fact_recall (golden)"].n == 119
    assert found["fact_recall (golden)"].difference == 0


def test_both_answers_of_a_flipped_question_stand_side_by_side(tmp_path: Path) -> None:
    run = RecordedRun()
    negating_generator(run)
    judgement = judged(tmp_path, run)
    flip = judgement.flips[0]
    assert (flip.before, flip.after) == ("It is q0.", "It is not q0.")
    assert flip.changes == ["groundedness 1 → 0"]
    write(judgement, tmp_path)
    assert "| It is q0. | It is not q0. |" in (tmp_path / "gate.md").read_text()


@pytest.mark.parametrize(
    ("machine", "blocks", "said"),
    [("another processor", 20, "another machine"), ("", 3, "3 pairs of blocks")],
)
def test_times_of_another_machine_or_too_few_are_invalid(
    tmp_path: Path, machine: str, blocks: int, said: str
) -> None:
    before, after = RecordedRun().write(tmp_path / "b"), RecordedRun().write(tmp_path / "a")
    write_probe(after, blocks=blocks, **({"machine": machine} if machine else {}))
    judgement = judge_folders(before, after, POLICY)
    assert judgement.exit_code == 3
    assert said in judgement.of(Status.INVALID)[0].sentence


def test_speed_that_nobody_timed_is_invalid_unless_it_is_left_out(tmp_path: Path) -> None:
    before, after = RecordedRun().write(tmp_path / "b"), RecordedRun().write(tmp_path / "a")
    assert judge_folders(before, after, POLICY).exit_code == 3
    left_out = judge_folders(before, after, POLICY, without=["speed"])
    assert left_out.exit_code == 0
    assert [found.name for found in left_out.of(Status.NOT_GATED)] == ["retrieval"]


def test_another_judge_is_invalid(tmp_path: Path) -> None:
    run = RecordedRun()
    run.facts["judge"] = "some LLM"
    assert blamed(judged(tmp_path, run)) == {"judge"}


def test_scores_that_are_missing_are_invalid_but_for_a_sparse_measure(tmp_path: Path) -> None:
    run = RecordedRun()
    for question in QUESTIONS[:10]:
        run.rows["groundedness"][question] = {"unscored": "the answer declines"}
    assert judged(tmp_path / "sparse", run).exit_code == 0
    for question in QUESTIONS[:3]:
        run.rows["R@5"][question] = {"unscored": "call failed"}
    assert blamed(judged(tmp_path / "failed", run)) == {"R@5 (golden)"}


def test_one_piece_of_another_persons_notes_is_a_regression(tmp_path: Path) -> None:
    run = RecordedRun()
    run.rows["isolation_leaks"]["q7"] = {"value": 1.0}
    assert blamed(judged(tmp_path, run)) == {"isolation_leaks (golden)"}


def test_a_drop_of_five_points_in_the_collections_is_caught(tmp_path: Path) -> None:
    run = RecordedRun()
    for query in [q for q in QUERIES if run.headings[q]][:20]:
        run.headings[query] = 0.0
    assert blamed(judged(tmp_path, run)) == {"R@5 (headings, exact)"}


def test_a_measure_of_unknown_worth_is_shown_and_has_no_say(tmp_path: Path) -> None:
    before = RecordedRun()
    before.absent.add("07_validity")
    after = RecordedRun().change("fact_recall", -0.5, every=3)
    after.absent.add("07_validity")
    first, second = before.write(tmp_path / "b"), write_probe(after.write(tmp_path / "a"))
    judgement = judge_folders(first, second, POLICY)
    assert judgement.status is Status.PASS
    names = {found.name for found in judgement.of(Status.NOT_GATED)}
    assert names == {"fact_recall (golden)", "groundedness (golden)"}


def test_a_candidate_does_not_free_itself_of_a_measure_that_gated_before(tmp_path: Path) -> None:
    """Whose answers are spoilt, on those a measure is tried: its card falls with them."""
    for every, status in ((3, Status.REGRESSION), (10**6, Status.INCONCLUSIVE)):
        run = RecordedRun().change("fact_recall", -0.5, every=every)
        run.rows["fact_recall"]["q0"] = {"value": 0.0}  # as before
        run.cards["fact_recall"] = {"noticed": 0.1, "rejected": 0.1}
        found = {each.name: each for each in judged(tmp_path / f"{every}", run).findings}
        assert found["fact_recall (golden)"].status is status
    assert "notices 10 % of planted faults" in found["fact_recall (golden)"].sentence


def test_a_question_that_always_passed_and_never_does_again_is_a_regression(tmp_path: Path) -> None:
    before, after = tmp_path / "b", tmp_path / "a"
    for number in range(10):
        RecordedRun().write(before / f"{number}")
        run = RecordedRun()
        run.rows["R@5"]["q1"] = {"value": 0.0}
        run.write(after / f"{number}")
    judgement = judge_folders(before, write_probe(after), POLICY)
    assert judgement.exit_code == 1
    (found,) = judgement.of(Status.REGRESSION)
    assert found.sentence == "always passed, and now always fails: q1."


def test_runs_of_one_folder_are_of_one_commit(tmp_path: Path) -> None:
    before = RecordedRun().write(tmp_path / "b")
    RecordedRun().write(tmp_path / "a" / "1")
    other = RecordedRun()
    other.manifest["revision"] = {"commit": "c" * 40, "dirty": False}
    other.write(tmp_path / "a" / "2")
    judgement = judge_folders(before, tmp_path / "a", POLICY)
    assert judgement.exit_code == 3
    assert "no repeats of each other" in judgement.findings[0].sentence


def test_few_questions_are_inconclusive(tmp_path: Path) -> None:
    """What did not change in 120 may change in 3 / 120 of all: more than a strict margin."""
    strict = msgspec.structs.replace(POLICY.quality[1], margin=0.02)
    policy = msgspec.structs.replace(POLICY, quality=(strict,))
    before = RecordedRun().write(tmp_path / "b")
    after = write_probe(RecordedRun().write(tmp_path / "a"))
    judgement = judge_folders(before, after, policy)
    assert judgement.exit_code == 2
    assert "2.5 points would show" in judgement.of(Status.INCONCLUSIVE)[0].sentence


def test_what_notes_say_is_no_markup(tmp_path: Path) -> None:
    run = RecordedRun().change("groundedness", -1, every=3)
    run.say("q0", "<script>alert(1)</script> | [x](http://x) \x01")
    write(judged(tmp_path, run), tmp_path)
    assert "<script>alert" not in (tmp_path / "gate.html").read_text()
    assert "<script>" not in (tmp_path / "gate.md").read_text()
    ElementTree.parse(tmp_path / "gate.xml")


def test_notebooks_of_several_runs_are_one_candidate_with_the_judge_of_its_answers(
    tmp_path: Path,
) -> None:
    before = RecordedRun().write(tmp_path / "b")
    searched, answered = RecordedRun(), RecordedRun()
    searched.absent |= {"01_quality", "04_cost", "07_validity"}
    answered.absent.add("02_retrieval")
    searched.write(tmp_path / "a" / "1")
    answered.write(tmp_path / "a" / "2")
    judgement = judge_folders(before, write_probe(tmp_path / "a"), POLICY)
    assert judgement.status is Status.PASS
    assert judgement.facts["judge"] == "light, none"


def test_the_last_digits_of_a_score_are_no_change(tmp_path: Path) -> None:
    judgement = judged(tmp_path, RecordedRun().change("fact_recall", -1e-6, every=2))
    found = {each.name: each for each in judgement.findings}["fact_recall (golden)"]
    assert (found.status, found.difference, judgement.flips) == (Status.PASS, 0.0, [])
