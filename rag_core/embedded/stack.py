"""The embedded servers as one context: enter it, use the URLs, leave it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from rag_core.embedded.database import ensure_database
from rag_core.embedded.home import StackHome
from rag_core.embedded.lease import lease
from rag_core.embedded.llm import local_llm


@dataclass(frozen=True)
class StackUrls:
    """Where the servers listen; the URL of a server that was not asked for is empty or None.

    `database_url` is for psycopg, `redis_url` for `redis.asyncio.from_url`, and `llm_url` for any
    OpenAI-style client.
    """

    database_url: str
    redis_url: str
    llm_url: str | None = None


@asynccontextmanager
async def embedded_stack(
    home: Path,
    *,
    postgres: bool = True,
    valkey: bool = True,
    llm: bool = False,
    start_timeout_s: float = 60.0,
) -> AsyncIterator[StackUrls]:
    """Use the servers of a home folder, starting those that do not run yet.

    Any number of processes may do so at once; they share one Postgres and one Valkey, which are
    stopped when the last of them leaves, exits or is killed. The data of Postgres stay in the home;
    Valkey keeps nothing. The LLM is not shared. Raises EmbeddedServerError, saying what to do, when
    a server does not start.
    """
    stack_home = StackHome.prepare(home)
    wanted = [name for name, is_wanted in (("postgres", postgres), ("valkey", valkey)) if is_wanted]
    async with AsyncExitStack() as stack:
        urls = {"postgres": "", "valkey": ""}
        if wanted:
            held = lease(stack_home, wanted, timeout_s=start_timeout_s)
            urls |= await stack.enter_async_context(held)
        if postgres:
            await ensure_database(urls["postgres"], patience_s=min(15.0, start_timeout_s))
        llm_url = await stack.enter_async_context(local_llm()) if llm else None
        yield StackUrls(urls["postgres"], urls["valkey"], llm_url)
