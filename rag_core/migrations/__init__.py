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

from rag_core.errors import ConfigurationError, DatabaseUnavailable

# Any 64-bit number will do, as long as every process takes the same.
_LOCK = 0x7261675F636F7265

_EXAMPLE = "For example postgresql://rag:secret@localhost:5432/rag"


def migrate(database_url: str, revision: str = "head") -> str:
    """Bring the database to a revision and return that; safe from many processes at once.

    Raises:
        ConfigurationError: the URL cannot be understood.
        DatabaseUnavailable: the server cannot be reached.
    """
    config = Config()
    config.set_main_option("script_location", "rag_core:migrations")
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head() if revision == "head" else revision
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
    except (ArgumentError, ValueError) as error:
        raise ConfigurationError("RAG_DATABASE_URL", "is not a Postgres URL", _EXAMPLE) from error
    except DBAPIError as error:
        if not error.statement and isinstance(error.orig, psycopg.ProgrammingError):
            raise ConfigurationError("RAG_DATABASE_URL", str(error.orig), _EXAMPLE) from error
        if not isinstance(error.orig, psycopg.OperationalError):
            raise
        reason = str(error.orig).strip().partition("\n")[0]
        raise DatabaseUnavailable(
            f"Postgres cannot be reached: {reason}",
            "Check RAG_DATABASE_URL and that Postgres is running",
        ) from error
    return str(newest)


def _driver_url(database_url: str) -> str:
    scheme, separator, rest = database_url.partition("://")
    if scheme not in ("postgres", "postgresql") or not separator:
        raise ConfigurationError("RAG_DATABASE_URL", "must begin with postgresql://", _EXAMPLE)
    return f"postgresql+psycopg://{rest}"
