from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from evals.budgets.grid import BudgetSetting
from evals.budgets.stages import Parts
from evals.datasets.golden import GoldenQuestion, Passage, Scenario
from evals.fit.answer_cases import ELSEWHERE, Case, cut_notes, gathered_cases
from evals.fit.answerability import declinable
from evals.measures.kept_vectors import kept_vectors
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Note, SearchMode
from rag_core.search import Signs
from rag_core.settings import Settings

NOTES = {
    "ann": [Note(id="grace", title="On grace", body="Paul calls grace a gift.")],
    "ben": [Note(id="storm", title="The storm", body="Jesus slept in the boat.")],
}
ASKED = GoldenQuestion(
    id="q",
    user="ann",
    question="What is grace?",
    scenario=Scenario.SINGLE_NOTE,
    reference="A gift.",
    gold=("grace",),
)
GOLD = [Passage("grace", "ann", "grace", "Eph 2", "On grace", 0, 24)]


async def test_a_question_is_a_case_in_its_own_notes_and_in_everybody_elses(
    tmp_path: Path,
) -> None:
    """Of one that is too long, the signs are those of what the pipeline takes."""
    tail = " as Zadok, Nathan and Benaiah had it"
    longer = msgspec.structs.replace(ASKED, id="longer", question=ASKED.question + tail)
    tokenizer, setting = LlamaTokenizer(), BudgetSetting.of(Settings())
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        parts = Parts(
            embedder=embedder,
            tokenizer=tokenizer,
            generator=ExtractiveGenerator(embedder, tokenizer),
            question_tokens=tokenizer.count(ASKED.question),
            mode=SearchMode.HYBRID,
            notes=NOTES,
        )
        stages = await cut_notes(parts, setting, lambda notes: None)
        own, elsewhere = await gathered_cases([ASKED], GOLD, stages, parts, setting)
        cut = await gathered_cases([longer], GOLD, stages, parts, setting)
    assert (own.answerable, elsewhere.answerable) == (True, False)
    assert elsewhere.kind == ELSEWHERE
    assert (own.found, elsewhere.found) == (True, False)
    assert own.signs.coverage > elsewhere.signs.coverage
    assert [case.signs for case in cut] == [own.signs, elsewhere.signs]


def case(*, answerable: bool = True, found: bool) -> Case:
    return Case("g", "single", answerable, Signs(0.5, 0.5, 0), found)


def test_who_sees_only_whether_gold_was_found_declines_as_much_as_it_loses_of_the_rest() -> None:
    half = [case(found=True), case(found=False), case(answerable=False, found=False)]
    assert declinable(half, 0.08) == pytest.approx(0.16)
    assert declinable([case(found=True)] * 19 + [case(found=False)], 0.08) == 1.0
    assert declinable([case(found=True)], 0.08) == 1.0
