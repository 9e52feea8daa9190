"""After `delete --all` nothing that a server kept holds the user's words, wherever one looks."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis
from psycopg import sql

from rag_core.embedded import embedded_stack
from tests.rag_core.app.server_process import SECRET, ServerProcess, environment, serving
from tests.rag_core.embedded.processes import eventually

WORDS = ("quincewort", "brambleking", "thistlemark", "larkspurly", "fennelgate", "yarrowine")
"""In a note, a document, its name, its tags, a question and a comment, and in no file of ours."""
BODY, DOCUMENT, NAME, TAG, ASKED, COMMENT = WORDS
NOTE = {"title": f"The {BODY}", "body": f"Paul calls the {BODY} a gift of grace.", "tags": [TAG]}
VARIABLES = {"RAG_LOG_LEVEL": "debug", "RAG_GENERATOR": "extractive", "RAG_TRACE_KEY": SECRET}


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="gone-") as folder:
        yield Path(folder)


@asynccontextmanager
async def used(folder: Path, model: Path) -> AsyncIterator[ServerProcess]:
    """A server with a log and traces of everything, that ruth told much."""
    variables = VARIABLES | {"RAG_TRACE_FILE": str(folder / "traces.jsonl")}
    async with serving(folder, model, variables) as server:
        await _told(server)
        yield server


async def _told(server: ServerProcess) -> None:
    client = server.client
    (await client.put("/notes/gift", json=NOTE)).raise_for_status()
    file = f"# The {DOCUMENT}\n\nJesus told of the {DOCUMENT} in a storm."
    given = await client.post(
        "/documents", params={"name": f"{NAME}.md"}, content=file, headers=_BYTES
    )
    path = f"/documents/{given.raise_for_status().json()['id']}"

    async def ready() -> bool:
        return (await client.get(path)).json()["status"] == "ready"

    await eventually(ready)
    (await client.put(f"{path}/tags", json={"tags": [TAG]})).raise_for_status()
    session = (await client.post("/sessions")).raise_for_status().json()["id"]
    for question in (f"What {ASKED} does Paul call the {BODY}?", f"And the {DOCUMENT}?"):
        for _ in range(2):
            body = {"question": question, "session": session}
            answer = await client.post("/assistant/query", json=body)
            answer.raise_for_status()
    opinion = {"digest": answer.json()["digest"], "question": question, "comment": COMMENT}
    (await client.post("/feedback", json=opinion | {"thumb": "down"})).raise_for_status()


_BYTES = {"content-type": "application/octet-stream"}


def rows(database_url: str) -> str:
    """Every row of every table, as text."""
    with psycopg.connect(database_url) as connection:
        tables = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables"
            " WHERE table_type = 'BASE TABLE' AND table_schema <> 'pg_catalog'"
        ).fetchall()
        return "\n".join(
            str(row)
            for table in tables
            for row in connection.execute(
                sql.SQL("SELECT t::text FROM {} AS t").format(sql.Identifier(*table))
            )
        )


def keys(redis_url: str) -> str:
    """Every key, with what it holds."""
    reads = {
        b"string": redis.Redis.get,
        b"hash": redis.Redis.hgetall,
        b"list": lambda client, key: client.lrange(key, 0, -1),
        b"set": redis.Redis.smembers,
        b"zset": lambda client, key: client.zrange(key, 0, -1),
    }
    with redis.Redis.from_url(redis_url) as client:
        return "\n".join(
            f"{key!r} {reads[client.type(key)](client, key)!r}" for key in client.scan_iter()
        )


def files(folder: Path) -> str:
    """Every file that is not Postgres's own, with its name."""
    return "\n".join(
        f"{path} {path.read_bytes()!r}"
        for path in folder.rglob("*")
        if path.is_file() and "postgres" not in path.relative_to(folder).parts[:2]
    )


async def command(server: ServerProcess, *words: str) -> str:
    """What a command says that is run beside the server."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rag_core", *words),
        env=environment(server.home, server.temp, VARIABLES),
        stdout=PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def found(text: str) -> set[str]:
    return {word for word in WORDS if word in text.lower()}


async def test_after_delete_all_no_row_key_file_or_log_line_holds_the_users_words(
    folder: Path, exported_model: Path
) -> None:
    async with used(folder, exported_model) as server:
        async with embedded_stack(server.home) as urls:
            assert found(rows(urls.database_url)) == set(WORDS) - {ASKED}
            assert found(keys(urls.redis_url)) >= {ASKED, BODY, DOCUMENT}
            assert "{ruth}:embedding" in keys(urls.redis_url)
            said = await command(server, "delete", "--all", "--user", "ruth")
            assert "gone for good" in said
            assert found(rows(urls.database_url)) == set()
            assert found(keys(urls.redis_url)) == set()
            assert "{ruth}:embedding" not in keys(urls.redis_url), "a vector tells of its question"
        answer = await server.client.post("/assistant/query", json={"question": "What is a gift?"})
        assert answer.json()["provenance"] == "NO_CONTEXT"
        assert (folder / "traces.jsonl").stat().st_size > 0
        assert found(files(folder)) == set()
        server.process.send_signal(signal.SIGTERM)
        code, log = await server.ended()
        assert code == 0
        assert "query" in log
        assert found(log) == set()
