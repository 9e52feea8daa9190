"""The database schema, as alembic revisions in plain SQL."""

from __future__ import annotations

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.pool import NullPool

from rag_core.domain.server_url import POSTGRES, check_url, target, without_secrets
from rag_core.errors import ConfigurationError, DatabaseUnavailable

# Any 64-bit number will do, as long as every process takes the same.
_LOCK = 0x7261675F636F7265

_SETTING = "RAG_DATABASE_URL"
_EXAMPLE = "postgresql://rag:secret@localhost:5432/rag"


def migrate(database_url: str, revision: str = "head") -> str:
    """Bring the database to a revision and return that; safe from many processes at once.

    Raises:
        ConfigurationError: the URL cannot be understood.
        DatabaseUnavailable: the server cannot be reached.
    """
    check_url(database_url, setting=_SETTING, schemes=POSTGRES, example=_EXAMPLE)
    config = _config()
    newest = newest_revision() if revision == "head" else revision
    try:
        # No prepared statements: pgbouncer may stand in between.
        engine = create_engine(
            _driver_url(database_url),
            poolclass=NullPool,
            connect_args={"prepare_threshold": None},
        )
        with engine.connect() as connection:
            # CREATE EXTENSION and alembic's own table race between processes, and there is no row
            # yet to lock. The lock ends with the transaction.
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            if MigrationContext.configure(connection).get_current_revision() != newest:
                config.attributes["connection"] = connection
                command.upgrade(config, revision)
            connection.commit()
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            _SETTING, "is not a Postgres URL", f"For example {_EXAMPLE}"
        ) from None
    except DBAPIError as error:
        reason = without_secrets(str(error.orig).strip().partition("\n")[0], database_url)
        if not error.statement and isinstance(error.orig, psycopg.ProgrammingError):
            raise ConfigurationError(_SETTING, reason, f"For example {_EXAMPLE}") from error
        if not isinstance(error.orig, psycopg.OperationalError):
            raise
        raise DatabaseUnavailable(
            f"Postgres at {target(database_url)} cannot be reached: {reason}",
            f"Check {_SETTING} and that Postgres is running",
        ) from error
    return newest


def newest_revision() -> str:
    """The revision that `migrate` brings a database to."""
    return str(ScriptDirectory.from_config(_config()).get_current_head())


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "rag_core:migrations")
    return config


def _driver_url(database_url: str) -> str:
    return f"postgresql+psycopg://{database_url.partition('://')[2]}"
