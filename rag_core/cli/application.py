"""What commands work with: a user's id, and the application or the database of the settings."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated

from typer import Context, Option

from rag_core.cli.progress import entered
from rag_core.domain.user import UserId, authenticated

if TYPE_CHECKING:
    from rag_core.bootstrap import Application
    from rag_core.domain.note_store import NoteStore
    from rag_core.settings import Settings

AsJson = Annotated[bool, Option("--json", help="Print all of it as JSON.")]
User = Annotated[UserId, Option(parser=authenticated, metavar="ID", help="Whose notes these are.")]

_STARTING = "starting: connecting to the servers and loading the model"


# What follows imports inside, so that --help and mistakes answer at once.


@asynccontextmanager
async def application(context: Context, *, as_served: bool = False) -> AsyncIterator[Application]:
    """The application, by the settings of the environment and of `--env`.

    Args:
        as_served: with the caches of a server that runs beside this; see `shared_caches`.
    """
    from rag_core.bootstrap import assemble
    from rag_core.settings import load_settings

    # A command is one process, whatever the server is told: all cores are its own.
    settings = load_settings(context.obj).model_copy(update={"workers": 1})
    if as_served:
        settings = shared_caches(settings)
    async with entered(assemble(settings), _STARTING) as assembled:
        yield assembled


def shared_caches(settings: Settings) -> Settings:
    """Settings by which `auto` is what servers share: the embedded Valkey, where no URL is set."""
    if settings.cache != "auto":
        return settings
    return settings.model_copy(update={"cache": "redis"})


@asynccontextmanager
async def stored_notes(context: Context) -> AsyncIterator[NoteStore]:
    """The notes alone, to be read: no model is loaded."""
    from rag_core.bootstrap import open_notes
    from rag_core.settings import load_settings

    async with entered(open_notes(load_settings(context.obj)), _STARTING) as notes:
        yield notes


@asynccontextmanager
async def database_url(context: Context) -> AsyncIterator[str]:
    """The database alone, embedded or configured."""
    from rag_core.bootstrap.servers import servers
    from rag_core.settings import load_settings

    async with entered(servers(load_settings(context.obj)), _STARTING) as urls:
        yield urls.database_url
