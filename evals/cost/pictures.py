"""Pictures of a cost study, saved beside its result."""

from __future__ import annotations

from pathlib import Path

from evals.cost.plots import break_even_marks, cost_against_users, tornado_bars
from evals.cost.result import supposed_output
from evals.cost.study import DEPLOYED, CostStudy
from evals.results.pictures import save
from evals.results.result import Picture


def draw_cost(study: CostStudy, out_path: Path) -> Picture:
    """Dollars a day against users, with the budgets."""
    caption = (
        f"Simulated. {supposed_output(study)} Dots: where a budget for all is reached; numbers of "
        f"users for {DEPLOYED}."
    )
    users = tuple(sorted({*study.users, 10 * max(study.users)}))
    figure = cost_against_users(study.cases, users, numbered=DEPLOYED)
    return save(figure, out_path, "cost", "What does a day cost?", caption)


def draw_tornado(study: CostStudy, out_path: Path) -> Picture:
    """What a month costs when one factor at a time is otherwise."""
    caption = (
        f"Simulated, for {study.tornado_users:,} users. Requests move by their spread, the hit "
        f"rate within its band over plausible traffics, all else by 20 %. {supposed_output(study)}"
    )
    return save(tornado_bars(study.tornado), out_path, "tornado", "What moves the bill?", caption)


def draw_break_even(study: CostStudy, out_path: Path) -> Picture:
    """The hit rate from which each cache level pays for its memory, and the one it has."""
    caption = (
        "Simulated, at the assumed prices of memory and processor time. A level that does not pay "
        f"may still be worth its milliseconds. {supposed_output(study)}"
    )
    title = "Does each cache pay for its memory?"
    return save(break_even_marks(study.break_even), out_path, "break-even", title, caption)
