"""What a staleness study comes to: sentences, headline numbers, tables. All of it is simulated."""

from __future__ import annotations

import pandas as pd

from evals.cache.staleness_study import StalenessStudy
from evals.results.numbers import count, duration, number, share
from evals.results.result import Headline


def staleness_verdict(study: StalenessStudy) -> str:
    """What the setting to weigh would save and risk, and what is deployed."""
    weighed, assumed = study.weighed, study.assumptions
    return (
        f"Simulated, not measured: at this traffic, on {_processes(assumed.workers)}, believing an "
        f"epoch for {duration(assumed.max_staleness_s)} saves {share(_saved(weighed))} of the "
        f"reads of Postgres, {number(weighed['cpu_s_saved_a_day'], 's')} of CPU a day at "
        f"{number(assumed.epoch_read_us, 'µs')} a read, of the "
        f"{number(study.strict_cpu_s_a_day, 's')} that reading every time takes, "
        f"and serves {count(weighed['late'])} of {count(weighed['requests'])} answers late, "
        f"{_how_late(weighed, assumed.max_staleness_s)}. "
        f"{_deployed(study)}"
    )


def staleness_headlines(study: StalenessStudy) -> tuple[Headline, ...]:
    """Reads saved and answers late by the setting to weigh."""
    assumed, saved, late = study.assumptions, study.saved, study.late
    what = f"With epochs believed for {duration(assumed.max_staleness_s)}"
    return (
        Headline(
            name="Epoch reads saved", value=1e6 * saved.value, low=1e6 * saved.low,
            high=1e6 * saved.high, n=study.traffics, unit="count", simulated=True,
            meaning=f"{what} by {_processes(assumed.workers)}, reads of Postgres that fall away of "
            "a million.",
        ),
        Headline(
            name="Answers late", value=1e6 * late.value, low=1e6 * late.low,
            high=1e6 * late.high, n=study.traffics, unit="count", better="lower", simulated=True,
            meaning=f"{what}, of a million answers those from notes that had changed so recently; "
            "strictly none.",
        ),
    )  # fmt: skip


def staleness_table(study: StalenessStudy) -> pd.DataFrame:
    """A row per number of processes and permitted staleness."""
    table = study.table
    return pd.DataFrame(
        {
            "processes": table["workers"],
            "permitted staleness": table["max_staleness_s"].map(duration),
            "reads per request": table["reads_per_request"].round(5),
            "closed form, flat traffic": table["reads_of_flat_traffic"].round(5),
            "CPU saved, s a day": table["cpu_s_saved_a_day"].round(4),
            "outdated epoch": table["outdated"],
            "answers late": table["late"],
            "late by, p50 s": table["late_p50_s"].round(2),
            "p99 s": table["late_p99_s"].round(2),
            "max s": table["late_max_s"].round(2),
        }
    ).set_index("processes")


def staleness_agreement_table(study: StalenessStudy) -> pd.DataFrame:
    """A row per figure of the flat trace."""
    table = study.agreement
    named = table.assign(max_staleness_s=table["max_staleness_s"].map(duration)).rename(
        columns={"max_staleness_s": "permitted staleness", "workers": "processes"}
    )
    return named.set_index("figure").round(5)


def _deployed(study: StalenessStudy) -> str:
    if not study.deployed_s:
        return "Deployed is 0: every request asks Postgres, and none is late."
    row = study.deployed
    return (
        f"Deployed is {duration(study.deployed_s)}: {share(_saved(row))} of the reads saved, "
        f"{count(row['late'])} answers late."
    )


def _how_late(row: pd.Series[float], permitted_s: float) -> str:
    if not row["late"]:
        return f"though up to {duration(permitted_s)} late is permitted"
    return (
        f"half of them by {duration(row['late_p50_s'])} or more and none by more than "
        f"{duration(row['late_max_s'])}"
    )


def _saved(row: pd.Series[float]) -> float:
    return float(1 - row["reads_per_request"])


def _processes(count: int) -> str:
    return "1 process" if count == 1 else f"{count} processes"
