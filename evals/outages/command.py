"""A week before a failing provider, from the command line: a table, a verdict, a picture."""

from __future__ import annotations

from pathlib import Path

from evals.outages.figures import columns, rows, verdict, whole
from evals.outages.pictures import week_picture
from evals.outages.provider import TWO_OUTAGES
from evals.outages.replay import replay_week
from evals.project import REPORTS, project_settings
from evals.results.pictures import save
from evals.results.table import text_table
from evals.simulation.timeline import prepare
from evals.simulation.traffic import Assumptions, generate
from rag_core.errors import InvalidInput

TITLE = "A week before a provider that fails twice (simulated)"


def run_outages(users: int, days: int, seed: int, out: Path | None) -> int:
    """Replay a week, print its table and verdict, save its picture; exit code 1 for an error page.

    Raises:
        InvalidInput: the folder cannot be written to.
    """
    folder = _folder(out or REPORTS / "outages")
    timeline = prepare(generate(Assumptions(users=users, days=float(days), seed=seed)))
    week = replay_week(timeline, TWO_OUTAGES, project_settings(), seed=seed)
    said = verdict(week)
    print(text_table(columns(week), rows(week)), said, sep="\n\n")
    caption = (
        f"Simulated: {len(timeline.traffic):,} requests of {users:,} users, seed {seed}, through"
        " the deployed pipeline, caches, guard and ledger. Latencies of the provider, of searching"
        " and of reading epochs are assumed."
    )
    alt = f"{TITLE}. {caption} Dollars a day, provenance and latency by the hour. {said}"
    picture = save(week_picture(week), folder / "week", "picture", TITLE, caption, alt=alt)
    (folder / "week.txt").write_text(f"{alt}\n", encoding="utf-8")
    print(f"\nPicture: {folder / picture.file}, for a telephone {folder / picture.narrow}")
    return 1 if whole(week).outcomes["error"] else 0


def _folder(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(
            "--out", f"{out} cannot be made: {error.strerror}", "Name another folder"
        ) from error
    return out
