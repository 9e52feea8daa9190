"""What is behind the pgbouncer that tests run over: a real one, in transaction mode."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from rag_core.embedded import StackUrls
from tests.servers.pgbouncer import find_pgbouncer, pgbouncer

pytestmark = pytest.mark.skipif(find_pgbouncer() is None, reason="pgbouncer is not installed")

BACKEND = "SELECT pg_backend_pid()"


async def test_transactions_of_one_client_meet_several_sessions(
    stack: StackUrls, tmp_path: Path
) -> None:
    async with pgbouncer(tmp_path, stack.database_url) as bouncer:
        seen = set()
        async with (
            await psycopg.AsyncConnection.connect(bouncer.url, autocommit=True) as one,
            await psycopg.AsyncConnection.connect(bouncer.url, autocommit=True) as other,
        ):
            for _ in range(4):
                async with other.transaction():
                    await other.execute("SELECT 1")
                    seen.add(await (await one.execute(BACKEND)).fetchone())
        assert len(seen) > 1
        assert await bouncer.transactions() >= 8
