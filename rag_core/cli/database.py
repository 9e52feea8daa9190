"""Commands that change the database's schema."""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from typing import Annotated, Literal

from typer import Argument, Context, Option

from rag_core.cli.application import database_url
from rag_core.domain import HNSW_EF_CONSTRUCTION, HNSW_M
from rag_core.errors import ConfigurationError


async def migrate(context: Context) -> None:
    """Bring the database to the newest schema.

    Makes the tables in the database that RAG_DATABASE_URL names, or brings them to the schema of
    this version. Needs a role that may create tables and, the first time, the extension pgvector.
    Safe to run again and from many processes. An embedded Postgres is migrated by itself.

    \b
    examples:
      python -m rag_core migrate
      RAG_DATABASE_URL=postgresql://rag:secret@localhost/rag python -m rag_core migrate
    """
    if missing := [name for name in ("alembic", "procrastinate") if find_spec(name) is None]:
        raise ConfigurationError(
            "migrate",
            f"needs {' and '.join(missing)}, which is not installed",
            "Run: pip install 'rag_core[migrate]'",
        )
    from rag_core import migrations

    async with database_url(context) as url:
        revision = await asyncio.to_thread(migrations.migrate, url)
    print(f"the database is at revision {revision}")


async def index(
    context: Context,
    kind: Annotated[Literal["hnsw", "none"], Argument(help="What to have from then on.")],
    m: Annotated[int, Option(min=2, max=100, help="Links of a node.")] = HNSW_M,
    ef_construction: Annotated[
        int, Option(min=4, max=1000, help="Candidates kept while building, at least twice --m.")
    ] = HNSW_EF_CONSTRUCTION,
) -> None:
    """Build or drop the HNSW index.

    hnsw builds it over all vectors, none drops it; others read and write meanwhile. It is needed
    for RAG_SEARCH_METHOD=hnsw, and every save pays for it. With other numbers than it has, it is
    built anew beside the old one, which is dropped after that. An interrupted build starts again.

    \b
    examples:
      python -m rag_core index hnsw --m 32 --ef-construction 128
      python -m rag_core index none
    """
    from rag_core.adapters.postgres.index import IndexKind, index_vectors

    async with database_url(context) as url:
        print("building takes a while; others may read and write meanwhile", file=sys.stderr)
        changed = await index_vectors(url, IndexKind(kind), m=m, ef_construction=ef_construction)
    state = "HNSW" if kind == "hnsw" else "their key alone"
    print(f"vectors are {'now' if changed else 'already'} indexed by {state}")
