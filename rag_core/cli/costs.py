"""The command that says what was spent, and what will be."""

from __future__ import annotations

import csv
import io
import math
import sys
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Literal, get_args

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from typer import Argument, Context, Option

from rag_core.budget import (
    HISTORY_DAYS,
    NANO_PER_USD,
    Grouping,
    Outlook,
    Spend,
    SpendOutlook,
)
from rag_core.cli.application import AsJson
from rag_core.cli.progress import entered
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import InvalidInput

DEFAULT_DAYS = 30

Day = Annotated[datetime | None, Option(formats=["%Y-%m-%d"], help="A day of UTC, included.")]


async def costs(
    context: Context,
    what: Annotated[Literal["spent", "forecast"], Argument(help="What was, or will be.")] = "spent",
    by: Annotated[Grouping, Option(help="What to sum up by.")] = "day",
    user: Annotated[
        UserId | None, Option(parser=authenticated, metavar="ID", help="Only this user's.")
    ] = None,
    since: Day = None,
    until: Day = None,
    top: Annotated[int | None, Option(min=1, help="Groups at most; of users 10.")] = None,
    as_json: AsJson = False,
    as_csv: Annotated[bool, Option("--csv", help="Print comma-separated values.")] = False,
) -> None:
    """Show what paid calls have cost, or will have by the end of day and month.

    Sums over the daily rows of the last 30 days, unless --since and --until say otherwise. Days,
    weeks (from Monday) and months are those of UTC. Needs only the database.

    \b
    examples:
      python -m rag_core costs
      python -m rag_core costs --by user --top 10
      python -m rag_core costs --by model --user ruth --since 2026-01-01 --csv
      python -m rag_core costs forecast
    """
    from rag_core.bootstrap import open_costs
    from rag_core.settings import load_settings

    settings = load_settings(context.obj)
    if as_csv and (as_json or what == "forecast"):
        raise InvalidInput("--csv", "goes with neither --json nor forecast", "Leave it out")
    first, last = _days(since, until)
    if what == "forecast":
        cap_usd = settings.budget_user_usd if user else settings.budget_all_usd
        async with entered(open_costs(settings), "connecting") as source:
            cap_nano = cap_usd * NANO_PER_USD or math.inf
            outlook = await SpendOutlook(source, cap_nano=cap_nano, user=user).at(datetime.now(UTC))
        _print_forecasts(outlook, as_json)
        return
    limit = top or (10 if by == "user" else None)
    async with entered(open_costs(settings), "connecting") as report:
        groups = await report.spend(by, since=first, until=last, user=user, top=limit)
    _print_spend(groups, f"from {first} to {last}", by, as_json=as_json, as_csv=as_csv)


def _days(since: datetime | None, until: datetime | None) -> tuple[date, date]:
    last = until.date() if until else datetime.now(UTC).date()
    first = since.date() if since else last - timedelta(days=DEFAULT_DAYS - 1)
    if first > last:
        raise InvalidInput("--since", f"{first} is after {last}", "Give an earlier day")
    return first, last


def _print_forecasts(outlook: Outlook | None, as_json: bool) -> None:
    forecasts = {"day": outlook.day.forecast, "month": outlook.month} if outlook else {}
    usd = {
        period: {
            name.replace("nano", "usd"): value / NANO_PER_USD
            for name, value in asdict(each).items()
        }
        for period, each in forecasts.items()
    }
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(usd)).decode())
    elif not usd:
        print(f"There is nothing to forecast from: no paid call in the last {HISTORY_DAYS} days.")
    for period, each in usd.items() if not as_json else ():
        print(
            f"The {period} will have cost ${each['expected_usd']:,.2f} at its end, four times in"
            f" five ${each['low_usd']:,.2f} to ${each['high_usd']:,.2f};"
            f" ${each['spent_usd']:,.2f} are spent."
        )


def _print_spend(
    groups: list[Spend], when: str, by: Grouping, *, as_json: bool, as_csv: bool
) -> None:
    records = [group.record() for group in groups]
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(records)).decode())
    elif as_csv:
        print(_csv(records, by), end="")
    elif not records:
        print(f"Nothing was spent {when}: no paid call was settled.")
    else:
        Console(file=sys.stdout).print(_table(records, when))


def _csv(records: list[dict[str, str | int | float]], by: Grouping) -> str:
    text = io.StringIO()
    empty = Spend(by=by, group="", calls=0, input_tokens=0, output_tokens=0, nano_usd=0)
    writer = csv.DictWriter(text, list(empty.record()), lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue()


def _table(records: list[dict[str, str | int | float]], when: str) -> Table:
    table = Table(title=f"Spent {when}", box=box.SIMPLE)
    for name in records[0]:
        table.add_column(name.replace("_", " "), justify="left" if name in _NAMES else "right")
    for record in records:
        table.add_row(*map(_cell, record.values()))
    return table


_NAMES = frozenset(get_args(Grouping))


def _cell(value: str | int | float) -> str:
    if isinstance(value, float):
        return f"${value:,.4f}"
    return f"{value:,}" if isinstance(value, int) else value
