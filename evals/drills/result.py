"""What the drills come to: a verdict each, headlines over all, tables, timelines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evals.drills.drill import Phase
from evals.drills.limit import Finding
from evals.drills.quality import WORDED, Compared
from evals.drills.run import DrillRun
from evals.drills.study import DrillsRun
from evals.measures.scores import Scored, aggregate
from evals.results.numbers import dollars, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table, headline


def drills_result(held: DrillsRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, timelines and tables, for the report."""
    return NotebookResult(
        title="Drills",
        verdict=overall(held),
        n=sum(len(run.timeline.ended) for run in held.runs),
        headlines=headlines(held),
        pictures=tuple(pictures),
        tables=(
            verdict_table(held),
            findings_table(held),
            provenance_table(held),
            quality_table(held),
            money_table(held),
        ),
        facts={"golden data digest": held.golden_digest},
    )


def findings(run: DrillRun) -> list[Finding]:
    """Each number of the hypothesis, as it was."""
    return [limit.finding(run) for limit in run.drill.limits]


def missed(run: DrillRun) -> list[Finding]:
    """The numbers that were not as supposed."""
    return [finding for finding in findings(run) if not finding.met]


def told(run: DrillRun) -> str:
    """What went wrong, what was supposed to come of it, and whether it did."""
    simulated = f" SIMULATED: {run.drill.simulated}" * bool(run.drill.simulated)
    return f"{run.drill.story}{simulated} Supposed: {run.drill.hypothesis}. {verdict(run)}"


def verdict(run: DrillRun) -> str:
    """Whether the hypothesis held, and which numbers did not."""
    wrong = missed(run)
    if not wrong:
        return f"{run.drill.title}: as supposed."
    return f"{run.drill.title}: NOT as supposed: {'; '.join(each.words for each in wrong)}."


def overall(held: DrillsRun) -> str:
    """A paragraph over all drills."""
    wrong = [run for run in held.runs if missed(run)]
    good = len(held.runs) - len(wrong)
    said = f"Of {len(held.runs)} drills {good} ended as supposed."
    return " ".join([said, *(verdict(run) for run in wrong)])


def headlines(held: DrillsRun) -> tuple[Headline, ...]:
    """Over all drills: hypotheses that held."""
    scores = {run.drill.name: Scored(float(not missed(run))) for run in held.runs}
    whole = aggregate("drills as supposed", scores, seed=held.seed, proportion=True)
    return (
        headline(
            whole, "Drills that ended as supposed", target=1.0,
            meaning="Share of the outages tried, of providers, Redis, Postgres and money, in which "
            "every number of the hypothesis held.",
        ),
    )  # fmt: skip


def verdict_table(held: DrillsRun) -> Table:
    """A row a drill."""
    rows: list[tuple[Cell, ...]] = [
        (run.drill.title, "as supposed" if not missed(run) else "NOT", _missed_words(run))
        for run in held.runs
    ]
    return Table("Verdicts", ("drill", "verdict", "what was not as supposed"), tuple(rows))


def _missed_words(run: DrillRun) -> str:
    return "; ".join(each.words for each in missed(run))


def findings_table(held: DrillsRun) -> Table:
    """A row for each number of each hypothesis."""
    rows: list[tuple[Cell, ...]] = [
        (run.drill.title, *_cells(each)) for run in held.runs for each in findings(run)
    ]
    columns = ("drill", "of", "number", "was", "supposed", "held")
    return Table("Every number of every hypothesis", columns, tuple(rows))


def _cells(each: Finding) -> tuple[Cell, ...]:
    limit, held = each.limit, "yes" if each.met else "NO"
    return limit.aspect, limit.name, limit.worded(each.value), limit.wanted, held


def provenance_table(held: DrillsRun) -> Table:
    """How requests ended, and how long they took, by drill and phase."""
    rows = tuple(_of_phase(run, phase) for run in held.runs for phase in Phase)
    columns = ("drill", "phase", "requests", "ended as", "p50 ms", "p99 ms")
    return Table("What readers got, and when", columns, rows)


def _of_phase(run: DrillRun, phase: Phase) -> tuple[Cell, ...]:
    counts = ", ".join(f"{n} {name}" for name, n in run.provenances(phase).most_common())
    times = [each.latency_ms for each in run.of(phase)]
    p50, p99 = np.percentile(times, (50, 99)).tolist() if times else (None, None)
    return run.drill.title, str(phase), len(times), counts, p50, p99


def money_table(held: DrillsRun) -> Table:
    """What each drill cost: a call that says nothing is booked as the dearest that it can be."""
    rows: list[tuple[Cell, ...]] = [
        (run.drill.title, run.timeline.billed[-1].calls, *map(dollars, _usd(run)))
        for run in held.runs
    ]
    columns = ("drill", "calls of the provider", "billed by it", "booked by us")
    return Table("Money", columns, tuple(rows))


def _usd(run: DrillRun) -> tuple[float, float]:
    return run.billed_usd, run.booked_usd or 0.0


def quality_table(held: DrillsRun) -> Table:
    """What the answers given in the trouble were worth, beside extractive ones."""
    rows: list[tuple[Cell, ...]] = [
        (run.drill.title, provenance, *_compared(each))
        for run in held.runs
        for provenance, compared in run.quality.items()
        for each in compared
    ]
    title = "What answers were worth meanwhile, on questions of split test"
    columns = ("drill", "answers", "measure", "n", "their score", "extractive, same questions")
    return Table(title, columns, tuple(rows))


def _compared(each: Compared) -> tuple[Cell, ...]:
    return WORDED[each.measure], each.n, share(each.given), share(each.extractive)


def findings_frame(held: DrillsRun) -> pd.DataFrame:
    """`findings_table`, for a notebook: columns drill, of, number, was, supposed, held."""
    return _frame(findings_table(held))


def quality_frame(held: DrillsRun) -> pd.DataFrame:
    """`quality_table`, for a notebook: columns drill, answers, measure, n and the two scores."""
    return _frame(quality_table(held))


def _frame(table: Table) -> pd.DataFrame:
    return pd.DataFrame(list(table.rows), columns=list(table.columns))
