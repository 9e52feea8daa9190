"""Golden follow-ups: what they are made of, and what is said of how they were found."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from evals.conversation.follow_ups import FILE, FollowUp, read_follow_ups
from evals.conversation.study import Asked, ask_all, changed, compared
from evals.datasets.golden import GoldenSet, load
from evals.project import GOLDEN
from evals.stats.share import Share
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import UserId
from rag_core.errors import InvalidInput
from tests.rag_core.library import note
from tests.rag_core.scene import open_scene, settings_for


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return load(GOLDEN)


@pytest.fixture(scope="module")
def rows(golden: GoldenSet) -> list[FollowUp]:
    return read_follow_ups(GOLDEN, golden)


def row(**changes: object) -> FollowUp:
    fields: dict[str, object] = {
        "id": "f1",
        "split": "test",
        "user": "golden-law",
        "kind": "pronoun",
        "before": ("What does Paul call grace?",),
        "follow_up": "Why did he call it that?",
        "in_full": "Why does Paul call grace a gift?",
        "gold": ("grace",),
    }
    return FollowUp(**(fields | changes))  # type: ignore[arg-type]


def test_twenty_of_each_kind_are_reported(rows: list[FollowUp]) -> None:
    kinds = Counter(each.kind for each in rows if each.split == "test")
    assert kinds == {"pronoun": 20, "ellipsis": 20}


def test_no_note_and_no_question_is_in_both_splits(rows: list[FollowUp], golden: GoldenSet) -> None:
    notes = {
        split: {(each.user, gold) for each in rows if each.split == split for gold in each.gold}
        for split in ("dev", "test")
    }
    assert notes["dev"].isdisjoint(notes["test"])
    dev = {
        (golden.passages[gold].user, golden.passages[gold].note)
        for each in golden.questions
        if each.split == "dev"
        for gold in (*each.gold, *each.foreign_gold)
    }
    assert notes["test"].isdisjoint(dev)


def test_nothing_is_asked_twice(rows: list[FollowUp]) -> None:
    asked = Counter(each.in_full.casefold() for each in rows)
    assert max(asked.values()) == 1


def test_a_note_that_is_not_there_is_named_with_its_line(
    tmp_path: Path, golden: GoldenSet, rows: list[FollowUp]
) -> None:
    path = tmp_path / FILE
    path.parent.mkdir()
    lines = (GOLDEN / FILE).read_text(encoding="utf-8").splitlines()
    wrong = json.loads(lines[1]) | {"gold": ["Gen.99"]}
    path.write_text("\n".join([lines[0], json.dumps(wrong)]), encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"line 2, field gold.* has no note Gen\.99"):
        read_follow_ups(tmp_path, golden)


async def test_each_is_asked_in_three_ways_of_the_users_own_notes(
    database_url: str, user: UserId
) -> None:
    async with open_scene(settings_for(database_url), user, LlamaTokenizer()) as scene:
        await scene.store(note("grace"), note("storm"), note("harvest"))
        told: list[int] = []
        asked = await ask_all(
            scene.application,
            [row(user=user), row(id="f2", user=user, gold=("gone",))],
            told.append,
        )
    assert asked[0].standalone == "What does Paul call grace? Why did he call it that?"
    assert (asked[0].by_rules, asked[0].in_full) == (True, True)
    assert (asked[1].by_rules, asked[1].bare, asked[1].in_full) == (False, False, False)
    assert told == [1, 1]


def test_what_rules_find_is_weighed_against_what_is_found_in_full() -> None:
    found = Asked(row(), "", by_rules=True, bare=False, in_full=True)
    missed = replace(found, by_rules=False)
    ratio = compared([found] * 8 + [missed] * 2)
    assert ratio is not None
    assert ratio.value == 0.8
    assert ratio.low < 0.8 < ratio.high
    assert compared([replace(found, in_full=False)]) is None, "no number where nothing is found"
    share = Share.of([True] * 8 + [False] * 2)
    assert (share.hits, share.n) == (8, 10)
    assert 0.49 < share.share.low < share.share.value == 0.8 < share.share.high < 0.95


def test_questions_that_stand_alone_and_would_be_changed_are_told() -> None:
    assert changed(["What is grace?", "And why?"]) == ["And why?"]
