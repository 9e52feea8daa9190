"""`python -m evals follow-ups`: whether follow-ups find what they would find in full."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from evals.conversation.follow_ups import FollowUp, read_follow_ups
from evals.conversation.study import BAR, FIRST, Asked, ask_all, changed, compared
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import GoldenSet, Split, load
from evals.project import GOLDEN, project_settings
from evals.results.table import text_table
from evals.stats.intervals import Estimate
from evals.stats.share import Share
from rag_core.bootstrap import assemble
from rag_core.cli import entered, progress_bar


def run_follow_ups(split: Split, *, as_json: bool) -> int:
    """Ask all of a split, print what came of it; the exit code."""
    golden = load(GOLDEN)
    rows = [row for row in read_follow_ups(GOLDEN, golden) if row.split == split]
    asked = asyncio.run(_asked(golden, rows))
    alone = [each.question for each in golden.questions if each.split == split]
    alone += [row.in_full for row in rows]
    ratio = compared(asked)
    wrongly = changed(alone)
    if as_json:
        print(json.dumps(_record(asked, ratio, wrongly, len(alone)), indent=2, ensure_ascii=False))
    else:
        print(_text(split, asked, ratio, wrongly, len(alone)))
    return 0 if ratio is not None and ratio.value >= BAR else 1


async def _asked(golden: GoldenSet, rows: Sequence[FollowUp]) -> list[Asked]:
    users = {row.user for row in rows}
    notes = {user: file for user, file in golden.notes.items() if user in users}
    async with (
        entered(held_open(project_settings()), "starting the database") as settings,
        assemble(settings) as application,
    ):
        await ingest_golden(application, dataclasses.replace(golden, notes=notes))
        with progress_bar(len(rows), "asking", "follow-up") as bar:
            return await ask_all(application, rows, bar.update)


def _groups(asked: Sequence[Asked]) -> dict[str, list[Asked]]:
    kinds = {
        "all": list(asked),
        "by pronoun": [each for each in asked if each.row.kind == "pronoun"],
        "by ellipsis": [each for each in asked if each.row.kind == "ellipsis"],
        "of another note than before": [each for each in asked if each.row.elsewhere],
        "of the same note": [each for each in asked if not each.row.elsewhere],
    }
    return {name: group for name, group in kinds.items() if group}


def _shares(group: Sequence[Asked]) -> dict[str, Share]:
    return {
        "by rules": Share.of([each.by_rules for each in group]),
        "bare": Share.of([each.bare for each in group]),
        "in full": Share.of([each.in_full for each in group]),
    }


def _text(
    split: Split,
    asked: Sequence[Asked],
    ratio: Estimate | None,
    wrongly: Sequence[str],
    alone: int,
) -> str:
    rows = [
        [name, str(len(group)), *map(str, _shares(group).values())]
        for name, group in _groups(asked).items()
    ]
    columns = ["follow-ups", "n", "by rules", "bare", "in full"]
    kept = Share.of([True] * (alone - len(wrongly)) + [False] * len(wrongly))
    lines = [
        f"a right note in the first {FIRST} hits, split {split}; 95 % intervals (Wilson)",
        text_table(columns, rows),
        f"by rules over in full: {_ratio(ratio)}; the bar is {BAR:g}",
        f"questions that stand alone left as they are: {kept} of {alone}",
        *(f"changed wrongly: {question}" for question in wrongly),
    ]
    lines += [
        f"missed: {each.row.id} {each.row.follow_up!r}, asked as {each.standalone!r}"
        for each in asked
        if each.in_full and not each.by_rules
    ]
    return "\n".join(lines)


def _ratio(ratio: Estimate | None) -> str:
    if ratio is None:
        return "not measured, as nothing is found in full"
    return f"{ratio.value:.0%} ({ratio.low:.0%} to {ratio.high:.0%}, bootstrap)"


def _record(
    asked: Sequence[Asked], ratio: Estimate | None, wrongly: Sequence[str], alone: int
) -> dict[str, Any]:
    return {
        "groups": {
            name: {way: dataclasses.asdict(share) for way, share in _shares(group).items()}
            for name, group in _groups(asked).items()
        },
        "ratio": dataclasses.asdict(ratio) if ratio else None,
        "standing_alone": alone,
        "changed_wrongly": list(wrongly),
        "follow_ups": [
            {"id": each.row.id, "standalone": each.standalone, "by_rules": each.by_rules,
             "bare": each.bare, "in_full": each.in_full}
            for each in asked
        ],
    }  # fmt: skip
