"""Commands on API keys: who may ask, and as whom."""

from __future__ import annotations

import sys
from typing import Annotated

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table
from typer import Argument, Context, Option

from rag_core.access import BELIEVED_S, ApiKey, KeyRecord
from rag_core.cli.application import AsJson
from rag_core.cli.command_line import Command
from rag_core.cli.progress import entered
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import InvalidInput

Owner = Annotated[UserId, Option(parser=authenticated, metavar="ID", help="Whose key it is.")]
SomeOwner = Annotated[
    UserId | None, Option(parser=authenticated, metavar="ID", help="Only this user's.")
]


async def add(
    context: Context,
    user: Owner,
    plan: Annotated[str, Option(help="As in RAG_RATE_LIMIT_PLANS.")] = "",
    name: Annotated[str, Option(help="What the key is for, as `keys list` shows it.")] = "",
    days: Annotated[
        int | None, Option(min=1, max=36_500, help="Until it expires; never, if left out.")
    ] = None,
) -> None:
    """Make a key, and print it this once.

    Whoever has it asks as this user. Only its SHA-256 is stored, so nobody can show it again.

    \b
    examples:
      python -m rag_core keys add --user ruth
      python -m rag_core keys add --user ruth --plan pro --name laptop --days 90
    """
    from rag_core.bootstrap import open_keys
    from rag_core.settings import load_settings

    key = ApiKey.issue()
    async with entered(open_keys(load_settings(context.obj)), "connecting") as keys:
        await keys.add(key, user, plan=plan, name=name, days=days)
    print(key.text)
    print(
        f"This is {user}'s key, and it is not shown again. Send it as Authorization: Bearer, or as"
        f" X-API-Key.\nTo end it: python -m rag_core keys revoke {key.prefix}",
        file=sys.stderr,
    )


async def show(context: Context, user: SomeOwner = None, as_json: AsJson = False) -> None:
    """List keys by their prefixes.

    \b
    examples:
      python -m rag_core keys list
      python -m rag_core keys list --user ruth --json
    """
    from rag_core.bootstrap import open_keys
    from rag_core.settings import load_settings

    async with entered(open_keys(load_settings(context.obj)), "connecting") as keys:
        records = await keys.records(user)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(records)).decode())
    elif not records:
        print("There are no keys. To make one: python -m rag_core keys add --user ID")
    else:
        Console(file=sys.stdout).print(_table(records))


async def revoke(
    context: Context,
    prefix: Annotated[str, Argument(help="The part of the key after rag_, as listed.")],
) -> None:
    """End a key for good.

    Every process refuses it within 5 seconds.

    \b
    examples:
      python -m rag_core keys revoke 0f1e2d3c4b5a
    """
    from rag_core.bootstrap import open_keys
    from rag_core.settings import load_settings

    if key := ApiKey.parse(prefix):
        prefix = key.prefix
    async with entered(open_keys(load_settings(context.obj)), "connecting") as keys:
        if not await keys.revoke(prefix):
            raise InvalidInput(
                "prefix",
                f"there is no key {prefix[:20]!r} in force",
                "python -m rag_core keys list shows all",
            )
    print(f"key {prefix} is revoked; every process refuses it within {BELIEVED_S:g} s")


COMMANDS: dict[str, Command] = {"add": add, "list": show, "revoke": revoke}
ABOUT = "Make, list and revoke API keys: who may ask, and as whom."


def _table(records: list[KeyRecord]) -> Table:
    table = Table(box=box.SIMPLE)
    for column in ("prefix", "user", "plan", "name", "made", "ends", "revoked"):
        table.add_column(column)
    for each in records:
        times = (each.created_at, each.expires_at, each.revoked_at)
        days = (f"{time:%Y-%m-%d}" if time else "" for time in times)
        table.add_row(each.prefix, each.user, each.plan, each.name, *days)
    return table
