"""What a load test comes to: verdict, headlines, stages, the capacity model, what breaks first."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evals.load.capacity import Capacity
from evals.load.limits import Limit, users, users_usd_per_day
from evals.load.study import LoadRun
from evals.results.numbers import cell, count, dollars, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table
from loadtests.record.objectives import Finding
from loadtests.record.summary import outcomes, stage_rows

MIXES = (0.0, 0.5, 0.6, 0.8, 1.0)
"""Shares of hits that the capacity is told for."""


def load_result(
    run: LoadRun, model: Capacity | None, found: Sequence[Limit], pictures: Sequence[Picture]
) -> NotebookResult:
    """All of it, for the report."""
    tables = [objectives_table(run), stages_table(run), outcomes_table(run)]
    if model:
        tables += [costs_table(model), capacity_table(model, run.record.run.cores)]
        tables.append(limits_table(found))
    return NotebookResult(
        title="Load",
        verdict=verdict(run, model, found),
        n=len(run.record.samples),
        headlines=headlines(run, model),
        pictures=tuple(pictures),
        tables=tuple(tables),
        facts={"load test": run.folder.name, "commit under load": run.record.run.commit},
    )


def verdict(run: LoadRun, model: Capacity | None, found: Sequence[Limit]) -> str:
    """Whether the objectives were met, what a core serves, and what breaks first."""
    if model is None:
        return run.verdict.words
    rate = model.core_rate(model.hit_share)
    return (
        f"{run.verdict.words} At the mix's {share(model.hit_share)} hits a core of the application"
        f" serves {cell(rate)} requests/s. What breaks first, with the settings as they come:"
        f" {found[0].name}, at {cell(found[0].rate)} requests/s ({found[0].setting})."
    )


def headlines(run: LoadRun, model: Capacity | None) -> tuple[Headline, ...]:
    """Errors, latency, and what a core serves."""
    n = sum(each.asked for each in run.record.judged)
    bounds = {each.name: each.bounds.at_most for each in run.verdict.good}
    figures, valid = run.figures, all(each.holds for each in run.verdict.valid)
    found = [
        Headline(
            name="Questions that failed under load", value=figures["error_share"], n=n,
            meaning="Share of people's questions that got no answer, or were never sent.",
            unit="share", better="lower", target=bounds.get("error_share") if valid else None,
        ),
        Headline(
            name="p99 under load", value=figures["latency_p99_s"], n=n,
            meaning="Seconds from when a question was to be sent until all of its answer was here.",
            unit="s", better="lower", target=bounds.get("latency_p99_s") if valid else None,
        ),
    ]  # fmt: skip
    if model:
        found += [_core_rate(model, 1.0, "hits", n), _core_rate(model, 0.0, "misses", n)]
    return tuple(found)


def _core_rate(model: Capacity, hit_share: float, of: str, n: int) -> Headline:
    return Headline(
        name=f"Requests/s a core, {of}", value=model.core_rate(hit_share), n=n, unit="count",
        meaning=f"How many {of} a second one process of the application serves, by its CPU.",
    )  # fmt: skip


def objectives_table(run: LoadRun) -> Table:
    """A row an objective, those of the generator first."""
    of = [("the generator", each) for each in run.verdict.valid]
    of += [("the application", each) for each in run.verdict.good]
    rows: list[tuple[Cell, ...]] = [(who, *_cells(each)) for who, each in of]
    return Table("Objectives", ("of", "figure", "was", "wanted", "met"), tuple(rows))


def _cells(each: Finding) -> tuple[Cell, ...]:
    return each.name, each.value, str(each.bounds), "yes" if each.holds else "NO"


def stages_table(run: LoadRun) -> Table:
    """A row a stage; columns as the load test's own summary has them."""
    rows = stage_rows(run.record)
    columns = tuple(name.replace("_", " ") for name in rows[0])
    return Table("Stages", columns, tuple(tuple(row.values()) for row in rows))


def outcomes_table(run: LoadRun) -> Table:
    """How many requests of each kind ended how."""
    rows: list[tuple[Cell, ...]] = [
        (name, ", ".join(f"{n} {outcome}" for outcome, n in counts.items()))
        for name, counts in outcomes(run.record.samples).items()
    ]
    return Table("How requests ended", ("request", "ended as"), tuple(rows))


def costs_table(model: Capacity) -> Table:
    """CPU of a hit and of a miss, by part."""
    rows: list[tuple[Cell, ...]] = [
        (part, 1000 * cost.hit_s, 1000 * cost.miss_s, 1000 * cost.idle_s)
        for part, cost in model.costs.items()
    ]
    columns = ("part", "a hit, CPU ms", "a miss, CPU ms", "a second of idling, CPU ms")
    said = share(model.prediction_ratio)
    caption = f"From these the model predicts {said} of the CPU that the mix really took."
    return Table("What a request costs", columns, tuple(rows), caption)


def capacity_table(model: Capacity, cores: int) -> Table:
    """What a core serves, for how many people, and what they cost, by the share of hits."""
    rows: list[tuple[Cell, ...]] = [_capacity_row(model, each, cores) for each in MIXES]
    columns = (
        "hits", "requests/s a core of the application", f"requests/s, all on {cores} cores",
        "people a core", "those people, dollars a day",
    )  # fmt: skip
    caption = (
        "People are supposed to ask ten questions a day each, their busiest hour 1.6 times the"
        " mean: that is the simulator's default trace, not a measurement."
    )
    return Table("Capacity", columns, tuple(rows), caption)


def _capacity_row(model: Capacity, hit_share: float, cores: int) -> tuple[Cell, ...]:
    rate = model.core_rate(hit_share)
    people = users(rate)
    cost = dollars(users_usd_per_day(model, people, hit_share))
    whole = model.machine_rate(hit_share, cores)
    return share(hit_share), rate, whole, count(people), cost


def limits_table(found: Sequence[Limit]) -> Table:
    """A row a bound, the one that breaks first standing first."""
    rows: list[tuple[Cell, ...]] = [
        (each.name, f"{cell(each.rate)}", count(users(each.rate)), each.setting) for each in found
    ]
    columns = ("bound", "requests/s", "people, by the default trace", "raised by")
    return Table("What breaks first", columns, tuple(rows))


def frame(table: Table) -> pd.DataFrame:
    """A table for a notebook; its columns are the table's own."""
    return pd.DataFrame(list(table.rows), columns=list(table.columns))
