"""Run the tests of caches and store over what a fleet has: `python -m tests.fleet`.

Once over three Valkeys as a cluster, with pgbouncer in transaction mode before Postgres, and the
caches once more over a primary and a replica that a sentinel watches. Arguments go to pytest.
It fails when a test does, and when a server of these had nothing to do.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from rag_core.embedded import embedded_stack
from rag_core.migrations import migrate
from tests.servers.pgbouncer import PgBouncer, find_pgbouncer, pgbouncer
from tests.servers.valkey_cluster import ValkeyCluster, valkey_cluster
from tests.servers.valkey_node import ValkeyNode
from tests.servers.valkey_sentinel import WatchedPair, watched_pair

ADAPTERS = Path("tests/rag_core/adapters")

CACHES: tuple[Path | str, ...] = (
    ADAPTERS / "redis",
    # These start clusters and sentinels of their own in any case.
    *(f"--ignore={ADAPTERS}/redis/test_{name}.py" for name in ("cluster", "connect", "sentinel")),
)
STORE: tuple[Path | str, ...] = (
    ADAPTERS / "postgres",
    # These look at Postgres itself; what the doctor says of a pooler has a test of its own.
    *(f"--ignore={ADAPTERS}/postgres/test_{name}.py" for name in ("migrations", "postgres_health")),
    ADAPTERS / "note_store_contract",
    ADAPTERS / "test_epoch_source_contract.py",
)

MISSING = 4
"""Exit status when something to run over is missing, or had nothing to do."""


async def run(arguments: Sequence[str]) -> int:
    """Start the servers, run the tests over them and return the exit status."""
    async with AsyncExitStack() as servers:
        home = Path(servers.enter_context(TemporaryDirectory(prefix="fleet-")))
        urls = await servers.enter_async_context(embedded_stack(home / "stack", valkey=False))
        await asyncio.to_thread(migrate, urls.database_url)
        bouncer = await servers.enter_async_context(pgbouncer(home / "b", urls.database_url))
        cluster = await servers.enter_async_context(valkey_cluster(home / "cluster"))
        pair = await servers.enter_async_context(watched_pair(home / "pair"))
        print("caches over the cluster, store over pgbouncer", flush=True)
        status = await _pytest((*CACHES, *STORE, *arguments), bouncer.url, cluster.url)
        print("caches over the watched pair, store over pgbouncer", flush=True)
        status = await _pytest((*CACHES, *arguments), bouncer.url, pair.url) or status
        return await _idle(bouncer, cluster, pair) or status


async def _pytest(arguments: Sequence[str | Path], database_url: str, redis_url: str) -> int:
    environment = os.environ | {
        "RAG_TEST_DATABASE_URL": database_url,
        "RAG_TEST_DATABASE_PREPARE": "false",  # Debian 12's pgbouncer is older than 1.21
        "RAG_TEST_REDIS_URL": redis_url,
    }
    command = [sys.executable, "-m", "pytest", *map(str, arguments)]
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _idle(bouncer: PgBouncer, cluster: ValkeyCluster, pair: WatchedPair) -> int:
    """Say what each server had to do; `MISSING` if that was nothing."""
    done = {f"cluster node {node.address}": await _written(node) for node in cluster.primaries}
    done["watched primary"] = await _written(pair.primary)
    done["pgbouncer"] = await bouncer.transactions()
    for name, count in done.items():
        print(f"{name}: {count} {'transactions' if name == 'pgbouncer' else 'keys written'}")
    idle = [name for name, count in done.items() if not count]
    if idle:
        print(f"error: nothing was tested over {', '.join(idle)}", file=sys.stderr)
    return MISSING if idle else 0


async def _written(node: ValkeyNode) -> int:
    async with node.client() as client:
        found = (await client.info("commandstats")).get("cmdstat_set", {})
    return int(found.get("calls", 0))


def main() -> int:
    """The exit status: 0 only when everything ran over every server and passed."""
    if find_pgbouncer() is None:
        print(
            "error: pgbouncer is not installed. Install the package pgbouncer, on Debian and "
            "Ubuntu with: apt-get install pgbouncer",
            file=sys.stderr,
        )
        return MISSING
    return asyncio.run(run(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
