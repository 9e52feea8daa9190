"""Golden questions as users' notes are searched for them: what answerability is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec

from evals.budgets.grid import BudgetSetting
from evals.budgets.stages import Parts, Stages
from evals.datasets.golden import GoldenQuestion, Passage
from evals.measures.retrieval import ranked_passages
from rag_core.search import FIRST, Signs, signs

ELSEWHERE = "others' notes"
"""Kind of a question that the asker's notes answer, asked of another user's."""


@dataclass(frozen=True, slots=True)
class Case:
    """A question as one user's notes were searched for it."""

    group: str
    kind: str
    answerable: bool
    signs: Signs
    found: bool
    """Whether gold of the question is among the hits that are looked at."""


async def cut_notes(
    parts: Parts, setting: BudgetSetting, progress: Callable[[int], object]
) -> Stages:
    """All users' notes, cut and embedded; `progress` is told how many notes were done."""
    stages = Stages(parts, depth=FIRST)
    await stages.cut(setting.chunking, sorted(parts.notes), progress)
    return stages


async def gathered_cases(
    questions: Sequence[GoldenQuestion],
    passages: Iterable[Passage],
    stages: Stages,
    parts: Parts,
    setting: BudgetSetting,
) -> list[Case]:
    """A case for each question, and for each that has an answer one for every other user.

    Args:
        passages: all that may be gold.
    """
    judged = list(passages)
    cases = []
    for asked in questions:
        own = [passage for passage in judged if passage.user == asked.user]
        cases.append(await _case(asked, asked.answerable, _kind(asked), own, stages, setting))
        for user in sorted(parts.notes) if asked.answerable else ():
            if user != asked.user:
                other = msgspec.structs.replace(asked, id=f"{asked.id}@{user}", user=user)
                cases.append(await _case(other, False, ELSEWHERE, (), stages, setting))
    return cases


async def _case(
    asked: GoldenQuestion,
    answerable: bool,
    kind: str,
    passages: Sequence[Passage],
    stages: Stages,
    setting: BudgetSetting,
) -> Case:
    ranking = (await stages.ranking(asked, setting.chunking)).value
    gold = {passage for gold in asked.gold_sets for passage in gold}
    found = {document for document, _ in ranked_passages(ranking.hits[:FIRST], passages)}
    seen = signs(stages.question(asked).text, ranking)
    return Case(asked.group, kind, answerable, seen, bool(gold & found))


def _kind(asked: GoldenQuestion) -> str:
    other = asked.scenario == "other_users_notes"
    return f"asked {asked.kind}" if other else str(asked.kind or asked.scenario)
