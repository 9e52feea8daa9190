"""Reading feedback where it is stored."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

from evals.feedback.candidates import write_candidates
from evals.feedback.score import Given, Period, PeriodScore, scores
from evals.project import project_settings
from evals.results.table import text_table
from rag_core.bootstrap import open_feedback

_EARLIEST = datetime.min.replace(tzinfo=UTC)


def print_feedback(since: date | None, period: Period, out: Path | None, user: str) -> int:
    """Print the scores and write the candidates; the exit code is 3 where nobody has said any."""
    given = [each for each in asyncio.run(_read(since)) if user in ("", each[0])]
    if not given:
        print("nobody has given feedback" + (f" since {since}" if since else ""))
        return 3
    print(
        text_table([period, "users", "thumbs", "up", "95 % interval"], rows(scores(given, period)))
    )
    if out:
        count = write_candidates(given, out)
        print(
            f"{count} candidates are in {out}: look each through, say what should have been found,"
        )
        print("take its review out, then put it into questions.jsonl of a golden folder")
    return 0


def rows(periods: list[PeriodScore]) -> list[list[str]]:
    """A row for each period."""
    return [
        [
            *(each.begins.isoformat(), str(each.users), str(each.thumbs)),
            *(f"{each.up.value:.0%}", f"{each.up.low:.0%} – {each.up.high:.0%}"),
        ]
        for each in periods
    ]


async def _read(since: date | None) -> list[Given]:
    begins = datetime(since.year, since.month, since.day, tzinfo=UTC) if since else _EARLIEST
    async with open_feedback(project_settings()) as feedback:
        return await feedback.everybodys(begins)
