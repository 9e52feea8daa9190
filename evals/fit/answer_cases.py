"""Golden questions as users' notes are searched for them: what answerability is fitted to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from evals.budgets.grid import BudgetSetting
from evals.budgets.stages import Parts, Stages
from evals.datasets.golden import GoldenQuestion
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


async def cut_notes(
    parts: Parts, setting: BudgetSetting, progress: Callable[[int], object]
) -> Stages:
    """All users' notes, cut and embedded; `progress` is told how many notes were done."""
    stages = Stages(parts, depth=FIRST)
    await stages.cut(setting.chunking, sorted(parts.notes), progress)
    return stages


async def gathered_cases(
    questions: Sequence[GoldenQuestion], stages: Stages, parts: Parts, setting: BudgetSetting
) -> list[Case]:
    """A case for each question, and for each that has an answer one for every other user."""
    cases = []
    for asked in questions:
        cases.append(await _case(asked, asked.answerable, _kind(asked), stages, setting))
        for user in sorted(parts.notes) if asked.answerable else ():
            if user != asked.user:
                other = msgspec.structs.replace(asked, id=f"{asked.id}@{user}", user=user)
                cases.append(await _case(other, False, ELSEWHERE, stages, setting))
    return cases


async def _case(
    asked: GoldenQuestion, answerable: bool, kind: str, stages: Stages, setting: BudgetSetting
) -> Case:
    ranking = (await stages.ranking(asked, setting.chunking)).value
    return Case(asked.group, kind, answerable, signs(stages.question(asked).text, ranking))


def _kind(asked: GoldenQuestion) -> str:
    other = asked.scenario == "other_users_notes"
    return f"asked {asked.kind}" if other else str(asked.kind or asked.scenario)
