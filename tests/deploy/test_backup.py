"""The backup and the restore that docs/operate.md shows, against a real Postgres."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from rag_core.bootstrap import assemble
from rag_core.domain import Note, Provenance, Tokenizer, UserId
from rag_core.embedded import StackUrls, find_postgres
from tests.rag_core.library import CountingEmbedder, library
from tests.rag_core.scene import settings_for

PAGE = (Path(__file__).resolve().parents[2] / "docs/operate.md").read_text(encoding="utf-8")
BACKUP, RESTORE = (
    next(block for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) if tool in block)
    for tool in ("pg_dump", "pg_restore")
)
STATE = """
SELECT (SELECT array_agg(notes ORDER BY id)::text FROM notes WHERE user_id = %(user)s),
       (SELECT array_agg(chunks ORDER BY note_id, position)::text
            FROM chunks WHERE user_id = %(user)s),
       (SELECT array_agg(vectors ORDER BY note_id, position)::text
            FROM chunk_vectors AS vectors WHERE user_id = %(user)s),
       (SELECT array_agg(words ORDER BY note_id, position)::text
            FROM chunk_words AS words WHERE user_id = %(user)s),
       (SELECT epoch::text FROM users WHERE id = %(user)s)
"""


@pytest.fixture
async def empty(stack: StackUrls) -> AsyncIterator[str]:
    """A new database beside the one that is saved."""
    name = f"restored_{uuid4().hex[:12]}"
    async with await psycopg.AsyncConnection.connect(stack.database_url, autocommit=True) as admin:
        await admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        yield stack.database_url.replace("/rag?", f"/{name}?")
        await admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


async def run(commands: str, folder: Path, **variables: str) -> None:
    """The page's commands, by the shell, with the tools of the server's own version."""
    tools = find_postgres().root / "bin"
    environment = os.environ | variables | {"PATH": f"{tools}:{os.environ['PATH']}"}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", commands),
        cwd=folder, env=environment, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode == 0, said.decode()


async def state(url: str, user: UserId) -> tuple[object, ...] | None:
    """All that is stored of a user."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await (await connection.execute(STATE, {"user": user})).fetchone()


async def test_what_was_saved_is_there_again_and_what_came_after_is_not(
    own_database: str, empty: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    settings = settings_for(own_database)
    async with assemble(settings, embedder=CountingEmbedder(), tokenizer=tokenizer) as application:
        await application.ingest.run(user, library(20))
        before = await state(own_database, user)
        await run(BACKUP, tmp_path, RAG_DATABASE_URL=own_database)
        await application.ingest.run(user, [Note("late", "Too late", "It came after the backup.")])
        assert await state(own_database, user) != before

    await run(RESTORE, tmp_path, RESTORED_URL=empty)

    assert await state(empty, user) == before


async def test_the_restored_house_answers_and_knows_of_changes_made_by_plain_sql(
    own_database: str, empty: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    embedder, saved = CountingEmbedder(), settings_for(own_database)
    async with assemble(saved, embedder=embedder, tokenizer=tokenizer) as application:
        await application.ingest.run(user, library(5))
    await run(BACKUP, tmp_path, RAG_DATABASE_URL=own_database)
    await run(RESTORE, tmp_path, RESTORED_URL=empty)

    restored = settings_for(empty)
    async with assemble(restored, embedder=embedder, tokenizer=tokenizer) as application:
        question = "What does Paul call grace?"
        first = await application.pipeline.answer(question, user)
        again = await application.pipeline.answer(question, user)
        async with await psycopg.AsyncConnection.connect(empty, autocommit=True) as connection:
            changed = "UPDATE chunks SET text = replace(text, 'gift', 'debt') WHERE user_id = %s"
            await connection.execute(changed, [user])
        after = await application.pipeline.answer(question, user)

    assert (first.provenance, again.provenance) == (Provenance.FRESH, Provenance.CACHED)
    assert "gift" in first.text
    assert "debt" in after.text
