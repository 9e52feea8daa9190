"""psycopg's errors in our words, and the first look at a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import PoolTimeout

from rag_core.domain.server_url import POSTGRES, check_url, without_secrets
from rag_core.errors import ConfigurationError, DatabaseUnavailable

_FIX = "Check RAG_DATABASE_URL and that Postgres is running"
_SETTING = "RAG_DATABASE_URL"
_EXAMPLE = "postgresql://rag:secret@localhost:5432/rag"


@contextmanager
def translated(url: str = "") -> Iterator[None]:
    """Raise what psycopg raises when the server is gone or too slow as DatabaseUnavailable.

    Args:
        url: no part of its password is ever shown.

    Raises:
        DatabaseUnavailable: the server is gone, too slow, or only reads.
    """
    try:
        yield
    except (PoolTimeout, TimeoutError) as error:
        raise DatabaseUnavailable("Postgres did not answer in time", _FIX) from error
    except psycopg.errors.ReadOnlySqlTransaction as error:
        raise DatabaseUnavailable(
            "Postgres is a standby that only reads", f"{_SETTING} must name the primary"
        ) from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        reason = without_secrets(str(error).strip().partition("\n")[0], url)
        raise DatabaseUnavailable(f"Postgres cannot be reached: {reason}", _FIX) from error


async def check_database(url: str, timeout_s: float) -> None:
    """Fail at once, where a pool would retry until its timeout.

    Raises:
        DatabaseUnavailable: no connection within `timeout_s`.
        ConfigurationError: the URL is wrong, or the database has not been migrated yet.
    """
    check_url(url, setting=_SETTING, schemes=POSTGRES, example=_EXAMPLE)
    try:
        with translated(url):
            connection = await psycopg.AsyncConnection.connect(
                url, connect_timeout=max(1, int(timeout_s)), prepare_threshold=None
            )
    except psycopg.ProgrammingError as error:
        raise ConfigurationError(
            _SETTING, without_secrets(str(error).strip(), url), f"For example {_EXAMPLE}"
        ) from None
    async with connection:
        found = await connection.execute("SELECT to_regclass('imports')")
        if await found.fetchone() == (None,):
            raise ConfigurationError(
                _SETTING,
                "the database has no rag_core tables yet, or those of an older version",
                "Run: python -m rag_core migrate",
            )
