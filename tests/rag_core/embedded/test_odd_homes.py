"""Homes with signs that shells, URLs and options of servers take for their own, and locked ones."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from redis.asyncio import Redis

from rag_core.embedded import StackHome, embedded_stack, python_environment
from rag_core.errors import EmbeddedServerError
from rag_core.migrations import migrate, newest_revision

# As root, nobody's rights in a user namespace: there permission bits hold, as for anyone.
AS_ANYONE = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--"]


@pytest.mark.parametrize("name", ['it\'s "mine", 50 % #1', "back\\slash é漢 a@b:c?d=e&f $HOME`;*"])
async def test_a_home_of_any_name_serves(short: Path, name: str) -> None:
    async with embedded_stack(short / name) as urls:
        assert await asyncio.to_thread(migrate, urls.database_url) == newest_revision()
        async with await psycopg.AsyncConnection.connect(urls.database_url) as connection:
            found = await connection.execute("SHOW data_directory")
            assert await found.fetchone() == (str(short / name / "postgres" / "data"),)
        async with Redis.from_url(urls.redis_url) as client:
            assert await client.ping()


def test_a_home_with_a_line_break_is_refused(short: Path) -> None:
    with pytest.raises(EmbeddedServerError, match=r"line break.*RAG_HOME"):
        StackHome.prepare(short / "two\nlines")


def as_anyone() -> list[str]:
    """What to put in front of a command so that permission bits hold for it."""
    if os.geteuid() != 0:
        return []
    tried = subprocess.run([*AS_ANYONE, "true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("root, and user namespaces are refused: no permission bit holds here")
    return AS_ANYONE


@pytest.mark.parametrize(
    ("locked", "command"),
    [
        (".", ["migrate"]),
        ("postgres", ["migrate"]),
        ("above", ["migrate"]),
        ("models", ["ask", "--user", "ruth", "Why?"]),
    ],
)
def test_a_home_that_cannot_be_written_is_named_with_the_fix(
    tmp_path: Path, locked: str, command: list[str]
) -> None:
    home = tmp_path / "above" / "home"
    for name in ("postgres", "valkey", "models"):
        (home / name).mkdir(parents=True)
    closed = home.parent if locked == "above" else home / locked
    closed.chmod(0o000 if locked == "above" else 0o555)
    ran = subprocess.run(
        [*as_anyone(), sys.executable, "-m", "rag_core", *command],
        capture_output=True,
        text=True,
        env=python_environment() | {"RAG_HOME": str(home)},
        check=False,
    )
    closed.chmod(0o755)
    assert ran.returncode in (3, 4), ran.stderr
    assert ran.stderr.startswith("error: ")
    assert "RAG_HOME" in ran.stderr
    assert str(home) in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("home", ["/proc/rag", "file"])
def test_a_home_where_nothing_can_be_made_is_named(tmp_path: Path, home: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedServerError, match="Set RAG_HOME"):
        StackHome.prepare(tmp_path / home)
