"""One set of servers, shared by whoever uses a home, gone with the last of them."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from pathlib import Path

import psycopg
import pytest
import redis.asyncio
from psycopg.conninfo import conninfo_to_dict

from rag_core.embedded import embedded_stack
from rag_core.errors import EmbeddedServerError
from tests.rag_core.embedded.processes import (
    StartUser,
    eventually,
    kill_all,
    mode_of,
    pid_of,
    running_below,
)


async def ask(database_url: str, query: str) -> str:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        row = await (await connection.execute(query)).fetchone()
    assert row is not None
    return str(row[0])


async def keep_three_rows(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 3) AS n")


async def test_servers_answer_inside_and_are_gone_outside(home: Path) -> None:
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SELECT '[1,2]'::vector <-> '[1,4]'") == "2.0"
        async with redis.asyncio.from_url(urls.redis_url) as valkey:
            assert await valkey.set("word", "kept")
            assert await valkey.get("word") == b"kept"
        assert urls.llm_url is None
        assert running_below(home)
    await eventually(lambda: not running_below(home))


async def test_servers_listen_on_private_sockets_only(home: Path) -> None:
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SHOW listen_addresses") == ""
        assert await ask(urls.database_url, "SHOW server_encoding") == "UTF8"
        async with redis.asyncio.from_url(urls.redis_url) as valkey:
            settings = await valkey.config_get(
                "port", "save", "appendonly", "maxmemory-policy", "enable-debug-command"
            )
        assert settings == {
            "port": "0",
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "allkeys-lru",
            "enable-debug-command": "no",
        }
        assert mode_of(home / "run") == 0o700


async def test_only_the_servers_asked_for_are_started(home: Path) -> None:
    async with embedded_stack(home, postgres=False) as urls:
        assert urls.database_url == ""
        assert not (home / "postgres" / "data").exists()
        async with embedded_stack(home, valkey=False) as more:
            assert more.redis_url == ""
            assert await ask(more.database_url, "SELECT 1") == "1"


async def test_existing_folders_keep_their_permissions_and_data_are_private(home: Path) -> None:
    os.mkdir(home)
    os.chmod(home, 0o751)
    before = {folder: mode_of(folder) for folder in (home, *home.parents)}
    async with embedded_stack(home) as urls:
        data = Path(await ask(urls.database_url, "SHOW data_directory"))
    assert {folder: mode_of(folder) for folder in before} == before
    assert mode_of(data) == 0o700
    assert data.is_relative_to(home)


async def test_two_processes_share_the_servers_and_the_last_one_stops_them(
    home: Path, start_user: StartUser
) -> None:
    first = await start_user(home)
    await first.is_in()
    postmaster = pid_of(home, "bin/postgres -D")
    second = await start_user(home)
    urls = await second.is_in()
    assert await first.leave() == 0
    assert pid_of(home, "bin/postgres -D") == postmaster
    assert await ask(urls["database_url"], "SELECT 1") == "1"
    assert await second.leave() == 0
    await eventually(lambda: not running_below(home))


async def test_eight_processes_starting_at_once_on_an_empty_home_all_get_the_same_servers(
    home: Path, start_user: StartUser
) -> None:
    users = [await start_user(home) for _ in range(8)]
    urls = await asyncio.gather(*(user.is_in() for user in users))
    assert all(url == urls[0] for url in urls)
    assert await ask(urls[0]["database_url"], "SELECT extname FROM pg_extension WHERE oid > 16384")
    assert pid_of(home, "bin/postgres -D")
    assert pid_of(home, "rag_core.embedded.supervisor")
    assert await asyncio.gather(*(user.leave() for user in users)) == [0] * 8
    await eventually(lambda: not running_below(home))


async def test_servers_stop_by_themselves_when_their_only_user_is_killed(
    home: Path, start_user: StartUser
) -> None:
    user = await start_user(home)
    await keep_three_rows((await user.is_in())["database_url"])
    await user.kill()
    await eventually(lambda: not running_below(home))
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SELECT count(*) FROM kept") == "3"


async def test_entering_right_after_a_user_was_killed_works(
    home: Path, start_user: StartUser
) -> None:
    for _ in range(3):
        user = await start_user(home)
        await user.is_in()
        await user.kill()
        async with embedded_stack(home) as urls:
            assert await ask(urls.database_url, "SELECT 1") == "1"


async def test_a_killed_postmaster_is_back_with_its_data_for_the_next_to_enter(
    home: Path, start_user: StartUser
) -> None:
    user = await start_user(home)
    await keep_three_rows((await user.is_in())["database_url"])
    os.kill(pid_of(home, "bin/postgres -D"), signal.SIGKILL)
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SELECT count(*) FROM kept") == "3"


async def test_killed_servers_come_back_for_those_who_are_inside(home: Path) -> None:
    async with embedded_stack(home) as urls:
        await keep_three_rows(urls.database_url)
        killed = {pid_of(home, "bin/postgres -D"), pid_of(home, "valkey-server")}
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: _counts_three(urls.database_url))
        await eventually(lambda: _pings(urls.redis_url))
        assert not killed & running_below(home).keys()


async def _counts_three(database_url: str) -> bool:
    try:
        return await ask(database_url, "SELECT count(*) FROM kept") == "3"
    except psycopg.OperationalError:
        return False


async def _pings(redis_url: str) -> bool:
    async with redis.asyncio.from_url(redis_url) as valkey:
        try:
            return bool(await valkey.ping())
        except redis.ConnectionError:
            return False


async def test_a_killed_supervisor_takes_its_servers_along_and_the_next_to_enter_has_new_ones(
    home: Path, start_user: StartUser
) -> None:
    user = await start_user(home)
    await keep_three_rows((await user.is_in())["database_url"])
    os.kill(pid_of(home, "rag_core.embedded.supervisor"), signal.SIGKILL)
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SELECT count(*) FROM kept") == "3"
    assert await user.leave() == 0
    await eventually(lambda: not running_below(home))


def unfinished(home: Path) -> list[Path]:
    return list(home.glob("postgres/unfinished-*/PG_VERSION"))


async def test_a_first_start_that_was_killed_half_way_is_done_again(
    home: Path, start_user: StartUser
) -> None:
    user = await start_user(home)
    await eventually(lambda: bool(unfinished(home)))
    kill_all(home)
    await user.kill()
    assert not (home / "postgres" / "data").exists()
    async with embedded_stack(home) as urls:
        assert await ask(urls.database_url, "SELECT 1") == "1"
    assert not unfinished(home)


async def test_a_home_with_a_very_long_path_works_and_is_shared(
    home: Path, start_user: StartUser
) -> None:
    deep = home / ("a" * 90) / ("spaced, 'quoted' \"name\" %20" * 3)
    assert len(str(deep)) > 150
    async with embedded_stack(deep) as urls:
        user = await start_user(deep)
        assert (await user.is_in())["database_url"] == urls.database_url
        assert await ask(urls.database_url, "SELECT 1") == "1"
        async with redis.asyncio.from_url(urls.redis_url) as valkey:
            assert await valkey.ping()
        sockets = Path(str(conninfo_to_dict(urls.database_url)["host"]))
        assert mode_of(sockets) == 0o700
        assert await user.leave() == 0
    await eventually(lambda: not sockets.exists())


async def test_an_error_says_what_the_server_said_and_leaves_nothing_running(home: Path) -> None:
    async with embedded_stack(home, valkey=False):
        pass
    (home / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedServerError, match="not compatible") as raised:
        async with embedded_stack(home):
            pass
    assert "RAG_DATABASE_URL" in raised.value.fix
    await eventually(lambda: not running_below(home))


async def test_a_home_that_cannot_be_made_is_refused_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(EmbeddedServerError, match="cannot write in"):
        async with embedded_stack(tmp_path / "file" / "home"):
            pass


async def test_a_supervisor_that_does_not_answer_is_named_after_the_time_allowed(
    home: Path,
) -> None:
    os.mkdir(home)
    lock = os.open(home / "supervisor.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        with pytest.raises(EmbeddedServerError, match="does not answer") as raised:
            async with embedded_stack(home, start_timeout_s=0.05):
                pass
    finally:
        os.close(lock)
    assert "supervisor.lock" in raised.value.fix
