"""The summary of a run: for people on the terminal, for programs as JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from loadtests.record.figures import Figures, percentile, share
from loadtests.record.objectives import Finding, Verdict
from loadtests.record.record import Record
from loadtests.record.resources import cpu_between
from loadtests.record.sample import Sample, judged

SUMMARY = "summary.json"
"""The file's name in a run's folder."""
_COMPANY = 0.1  # of the machine, used by others: more is more than a desktop's own noise
PARTS = ("app", "postgres", "redis", "stub", "generator")


def stage_rows(record: Record) -> list[dict[str, Any]]:
    """A row a stage: what was sent, how it went, and which share of a core each part took."""
    shape = record.shape
    spans = zip(shape.stages, shape.begins_s, strict=True)
    return [
        {
            "stage": stage.name,
            "seconds": stage.seconds,
            **_went(judged(record.samples, [stage.name]), stage.seconds, record.asked_before),
            **_cores(record, begin_s, begin_s + stage.seconds),
        }
        for stage, begin_s in spans
    ]


def _went(samples: Sequence[Sample], seconds: float, asked_before: Set[int]) -> dict[str, Any]:
    """`asked_before`: what a cache that never forgets would hit; see `Record`."""
    asked = [each for each in samples if each.asked]
    answered = [each for each in asked if each.answered]
    hits = [each for each in answered if each.hit]
    return {
        "sent_per_s": len(samples) / seconds,
        "questions": len(asked),
        "failed": len(asked) - len(answered),
        "hit_share": share(len(hits), len(answered)),
        "asked_before": share(sum(e.serial in asked_before for e in answered), len(answered)),
        "hit_p50_ms": percentile((each.latency_ms for each in hits), 50),
        "hit_pipeline_p99_ms": percentile((each.pipeline_ms for each in hits), 99),
        "p50_ms": percentile((each.latency_ms for each in answered), 50),
        "p99_ms": percentile((each.latency_ms for each in answered), 99),
        "cost_usd": sum(each.cost_usd for each in answered),
    }


def _cores(record: Record, begin_s: float, end_s: float) -> dict[str, float | None]:
    spent = {part: cpu_between(record.usages, part, begin_s, end_s) for part in PARTS}
    seconds = end_s - begin_s
    return {f"{part}_cores": None if s is None else s / seconds for part, s in spent.items()}


def outcomes(samples: Sequence[Sample]) -> dict[str, dict[str, int]]:
    """How many requests of each name ended how."""
    names = sorted({each.name for each in samples})
    counts = {name: Counter(e.outcome for e in samples if e.name == name) for name in names}
    return {name: dict(count.most_common()) for name, count in counts.items()}


def write_summary(record: Record, figures: Figures, verdict: Verdict, folder: Path) -> Path:
    """Write it to the run's folder."""
    path = folder / SUMMARY
    said = {
        "shape": record.shape.name,
        "verdict": verdict.words,
        "exit_code": verdict.exit_code,
        "figures": figures,
        "valid": list(map(_row, verdict.valid)),
        "objectives": list(map(_row, verdict.good)),
        "stages": stage_rows(record),
        "outcomes": outcomes(record.samples),
    }
    path.write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return path


def _row(finding: Finding) -> dict[str, Any]:
    bounds = {name: getattr(finding.bounds, name) for name in ("at_most", "at_least")}
    return {"figure": finding.name, "value": finding.value, "holds": finding.holds, **bounds}


def print_summary(record: Record, figures: Figures, verdict: Verdict, folder: Path) -> None:
    """Tables for the terminal, and the verdict."""
    others = figures["others_cpu_share"]
    console = Console(width=None if sys.stdout.isatty() else 1000)  # a file has room
    console.print(_table("stages", stage_rows(record)))
    console.print(_table("outcomes", list(_outcome_rows(record.samples))))
    findings = [*verdict.valid, *verdict.good]
    console.print(_table("objectives", list(map(_row, findings))))
    console.print(f"{verdict.words}{_company(others)}\n{folder}", markup=False, soft_wrap=True)


def _company(others_share: float | None) -> str:
    """A sentence where the machine did other things meanwhile."""
    if not others_share or others_share < _COMPANY:
        return ""
    return f" Others used {others_share:.0%} of this machine meanwhile: no timing is to be trusted."


def _outcome_rows(samples: Sequence[Sample]) -> Iterator[dict[str, Any]]:
    for name, counts in outcomes(samples).items():
        ended = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        yield {"request": name, "ended as": ended}


def _table(title: str, rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title=title, box=box.SIMPLE, title_justify="left")
    for name in rows[0] if rows else ():
        table.add_column(name.replace("_", " "))
    for row in rows:
        table.add_row(*map(_cell, row.values()))
    return table


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "NO"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return "–" if value is None else str(value)
