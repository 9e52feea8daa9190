"""Follow-ups asked three ways of the deployed search, and questions that need no change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evals.conversation.follow_ups import FollowUp
from evals.stats.intervals import Estimate, ratio_of_sums
from rag_core.bootstrap import Application
from rag_core.conversation import Resolver, Turn, is_follow_up
from rag_core.domain import UserId, authenticated, normalise

FIRST = 5
"""Hits in which a right note counts as found."""
BAR = 0.8
"""Least ratio of what follow-ups find to what they find in full."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A follow-up, what the rules made of it, and whether each way of asking found the note."""

    row: FollowUp
    standalone: str
    by_rules: bool
    bare: bool
    in_full: bool


async def ask_all(
    app: Application, rows: Sequence[FollowUp], progress: Callable[[int], object]
) -> list[Asked]:
    """Each follow-up asked in the three ways; `progress` is told after each."""
    asked = []
    for row in rows:
        asked.append(await _ask(app, row))
        progress(1)
    return asked


async def _ask(app: Application, row: FollowUp) -> Asked:
    user = authenticated(row.user)
    standalone = await _resolved(user, row)

    async def finds(question: str) -> bool:
        found = await app.pipeline.retrieve(question, user)
        return any(hit.note_id in row.gold for hit in found.ranking.hits[:FIRST])

    return Asked(
        row,
        standalone,
        by_rules=await finds(standalone),
        bare=await finds(row.follow_up),
        in_full=await finds(row.in_full),
    )


async def _resolved(user: UserId, row: FollowUp) -> str:
    """The follow-up as the rules resolve it, each question before it after those before that."""
    resolver, turns = Resolver(), list[Turn]()
    for number, asked in enumerate((*row.before, row.follow_up)):
        resolution = await resolver.resolve(user, asked, turns)
        turns.append(Turn(asked=asked, question=resolution.question, asked_at=float(number)))
    return turns[-1].question


def changed(questions: Sequence[str]) -> list[str]:
    """Those of questions that stand alone that the rules take for follow-ups."""
    return [question for question in questions if is_follow_up(normalise(question))]


def compared(asked: Sequence[Asked]) -> Estimate | None:
    """What the rules find over what is found in full; None where that is nothing."""
    if not any(each.in_full for each in asked):
        return None
    rules = np.array([each.by_rules for each in asked], dtype=np.float64)
    full = np.array([each.in_full for each in asked], dtype=np.float64)
    return ratio_of_sums(rules, full)
