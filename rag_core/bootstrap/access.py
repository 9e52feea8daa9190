"""Wiring of who may ask: API keys of the database, tokens where the settings take them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec

from rag_core import events
from rag_core.access import Authenticator, BelievedKeys, HeaderAuthenticator, VerifyToken
from rag_core.adapters.postgres import Database, PostgresApiKeys
from rag_core.bootstrap.database import database_alone
from rag_core.clock import Clock, SystemClock
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, secret


@asynccontextmanager
async def open_authenticator(
    settings: Settings,
    database: Database,
    *,
    clock: Clock | None = None,
    listener: events.Listener = events.ignore,
) -> AsyncIterator[Authenticator]:
    """Who asks, by API keys and by the tokens that `settings` take.

    Raises:
        ConfigurationError: tokens are to be taken, and what checks them is not installed.
    """
    clock = clock or SystemClock()
    keys = BelievedKeys(PostgresApiKeys(database).find, clock=clock)
    async with AsyncExitStack() as stack:
        # What is done again and again takes its turns by the machine's clock.
        await stack.enter_async_context(keys.renewed(SystemClock()))
        tokens = None
        if settings.jwt_secret or settings.jwt_jwks_url:
            tokens = await stack.enter_async_context(_open_tokens(settings, clock, listener))
        yield HeaderAuthenticator(keys, tokens)


@asynccontextmanager
async def open_keys(settings: Settings) -> AsyncIterator[PostgresApiKeys]:
    """API keys of the database, without a pipeline; raises what `database_alone` raises."""
    patience_s = settings.database_timeout_s
    async with database_alone(settings, read_timeout_s=patience_s) as database:
        yield PostgresApiKeys(database)


@asynccontextmanager
async def _open_tokens(
    settings: Settings, clock: Clock, listener: events.Listener
) -> AsyncIterator[VerifyToken]:
    if find_spec("jwt") is None:
        raise ConfigurationError(
            "RAG_JWT_AUDIENCE",
            "tokens need PyJWT, which is not installed",
            "Run: pip install 'rag_core[serve]'",
        )
    from rag_core.adapters.identity import BearerTokens, open_signing_keys

    shared, url = secret(settings.jwt_secret), secret(settings.jwt_jwks_url)
    async with AsyncExitStack() as stack:
        signing_keys = None
        if url:
            signing_keys = await stack.enter_async_context(
                open_signing_keys(url, clock=clock, refresh_clock=SystemClock(), listener=listener)
            )
        yield BearerTokens(
            audience=settings.jwt_audience or "",  # the settings hold that there is one
            issuer=settings.jwt_issuer,
            secret=shared.encode() if shared else None,
            signing_keys=signing_keys,
            clock=clock,
        )
