"""The command that serves."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Annotated

from pydantic import SecretStr
from typer import Context, Option

from rag_core.cli.application import shared_caches


def serve(
    context: Context,
    host: Annotated[str | None, Option(help="Overrides RAG_HOST.")] = None,
    port: Annotated[int | None, Option(min=0, max=65535, help="Overrides RAG_PORT.")] = None,
    workers: Annotated[int | None, Option(min=1, max=256, help="Overrides RAG_WORKERS.")] = None,
) -> None:
    """Serve answers over HTTP.

    Listens on RAG_HOST and RAG_PORT (127.0.0.1:8000) until Ctrl-C or SIGTERM; what is under way
    may still end within RAG_SHUTDOWN_S. Without RAG_DATABASE_URL and RAG_REDIS_URL an embedded
    Postgres and an embedded Valkey under RAG_HOME are started, shared by all workers, and stopped.

    On SIGHUP the canary (RAG_CANARY_PERCENT, RAG_CANARY_SETTINGS) is read again from the file that
    --env names: a percentage of 0 rolls it back, and nobody who is being answered is disturbed.

    \b
    examples:
      python -m rag_core serve
      python -m rag_core --env .env.production serve --host 0.0.0.0 --workers 2
      curl http://127.0.0.1:8000/health/live
      kill -HUP PID
    """
    from rag_core.app.server import serve as serve_until_stopped
    from rag_core.bootstrap.servers import servers
    from rag_core.settings import load_settings

    given = {"host": host, "port": port, "workers": workers}
    changes = {name: value for name, value in given.items() if value is not None}
    settings = shared_caches(load_settings(context.obj).model_copy(update=changes))
    # This process holds the embedded servers, so that they outlive each of the workers.
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        urls = runner.run(stack.enter_async_context(servers(settings)))
        try:
            found = {"database_url": SecretStr(urls.database_url)}
            if urls.redis_url:
                found["redis_url"] = SecretStr(urls.redis_url)
            serve_until_stopped(settings.model_copy(update=found), context.obj)
        finally:
            runner.run(stack.aclose())
