from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from evals.budgets.grid import BudgetSetting
from evals.budgets.stages import Parts, Stages
from evals.datasets.golden import GoldenQuestion, GoldenSet, Scenario, load
from evals.fit.extractive import (
    DEPLOYED,
    FOLDS,
    GRID,
    SHORT,
    Trials,
    as_text,
    asked,
    gathered,
    tried,
)
from evals.measures.kept_vectors import kept_vectors
from rag_core.adapters.documents import read_notes
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator, ExtractiveWeights
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import DECLINING_TEXT, without_citations
from rag_core.settings import Settings
from tests.evals.golden_sample import write_sample

OTHER, LONGER = replace(DEPLOYED, min_score=0.4), replace(DEPLOYED, max_quotes=SHORT + 1)
NOBODY = GoldenQuestion(id="", user="ann", question="Why?", scenario=Scenario.UNANSWERABLE)
QUESTIONS = [
    msgspec.structs.replace(NOBODY, id=f"q{n}", group=f"g{n}", gold=("p",) if n % 2 else ())
    for n in range(40)
]


def trials(worth: Sequence[object], words: Sequence[int] = (50, 50, 50)) -> Trials:
    """The deployed, another and a longer setting, each with a worth for all questions or each."""
    rows = np.array([np.broadcast_to(np.array(row, np.float64), 40) for row in worth])
    counts = np.array([np.full(40, count, np.float64) for count in words])
    return Trials((DEPLOYED, OTHER, LONGER), QUESTIONS, rows, counts)


def test_the_deployed_weights_are_among_those_tried_and_none_is_tried_twice() -> None:
    assert ExtractiveWeights() in GRID
    assert len(set(GRID)) == len(GRID)


def test_the_best_is_chosen_and_of_equals_the_shortest_and_then_the_deployed() -> None:
    assert trials([0.2, 0.3, 0.1]).chosen(SHORT) == 1
    assert trials([0.3, 0.3, 0.3], words=(50, 40, 30)).chosen(SHORT) == 1
    assert trials([0.3, 0.3, 0.3], words=(50, 40, 30)).chosen(SHORT + 1) == 2
    assert trials([0.3, 0.3, 0.3]).chosen(SHORT + 1) == 0


def test_a_question_is_judged_at_a_setting_chosen_without_its_fold() -> None:
    """Each question that another setting gets right speaks for it, but not for itself."""
    folds = trials([0, 0, 0]).folds
    assert set(folds) == set(range(FOLDS))
    done = trials([0.1, np.where(folds == 0, 1.0, 0.0), 0])
    assert done.chosen(SHORT) == 1
    assert (done.out_of_fold(SHORT).worth[folds == 0] == 0.1).all()


def test_others_are_recommended_only_where_they_are_better_out_of_fold() -> None:
    luck = np.arange(40) % 2 * 1.0
    better = np.where(np.arange(40) % 4, 0.9, 0.5)
    assert trials([0.5, luck, luck]).recommended == DEPLOYED
    assert trials([0.5, better, better]).recommended == OTHER
    assert trials([0.2, 0.2, better]).recommended == LONGER
    assert "keep" in as_text(trials([0.5, luck, luck]))
    assert str(OTHER) in as_text(trials([0.5, better, better]))


@pytest.fixture
def golden(tmp_path: Path) -> GoldenSet:
    golden = load(write_sample(tmp_path / "golden"))
    dev = [msgspec.structs.replace(each, split="dev") for each in golden.questions]
    return replace(golden, questions=tuple(dev))


def test_only_dev_questions_that_say_what_is_right_are_asked(golden: GoldenSet) -> None:
    scenarios = {question.scenario for question in asked(golden)}
    assert scenarios >= {Scenario.SINGLE_NOTE, Scenario.UNANSWERABLE, Scenario.OTHER_USERS_NOTES}
    assert Scenario.ATTACK not in scenarios
    test = [msgspec.structs.replace(each, split="test") for each in golden.questions]
    assert not asked(replace(golden, questions=tuple(test)))


async def test_what_is_tried_is_what_the_generator_answers(
    golden: GoldenSet, tmp_path: Path
) -> None:
    tokenizer, questions = LlamaTokenizer(), asked(golden)
    setting = BudgetSetting.of(Settings()).with_value("min_score", 0.1)
    settings = (DEPLOYED, replace(DEPLOYED, min_score=0.0, max_quotes=3), OTHER)
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        parts = Parts(
            embedder=embedder,
            tokenizer=tokenizer,
            generator=ExtractiveGenerator(embedder, tokenizer),
            question_tokens=150,
            notes={user: read_notes(file.path) for user, file in golden.notes.items()},
        )
        done = tried(questions, await gathered(questions, parts, setting), settings)
        for row, weights in enumerate(settings):
            generator = ExtractiveGenerator(embedder, tokenizer, weights)
            stages = Stages(replace(parts, generator=generator), depth=setting.top_k)
            await stages.cut(setting.chunking, list(golden.notes), lambda _: None)
            replies = [await stages.ask(question, setting) for question in questions]
            said = [reply.answer.text if reply.answer else "" for reply in replies]
            lengths = [
                0 if text == DECLINING_TEXT else len(without_citations(text).split())
                for text in said
            ]
            assert list(done.words[row]) == lengths
            for question, text, worth in zip(questions, said, done.worth[row], strict=True):
                if not question.answerable:
                    assert worth == (text == DECLINING_TEXT)
    assert done.words.min() == 0 < done.words.max()
    assert 0 < done.worth[:, [question.answerable for question in questions]].max() <= 1
