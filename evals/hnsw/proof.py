"""That a search ran by the index that it is said to: its plan, and the index's own count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from evals.hnsw.grid import Kind, Setting
from evals.hnsw.statement import parameters, statement
from evals.hnsw.tables import SCHEMA, index_name
from rag_core.adapters.postgres import Connection
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from rag_core.domain import Matrix


async def check_plans(
    connection: Connection, setting: Setting, user: str, questions: Matrix
) -> list[str]:
    """The lines of the last plan, once the plan of every question is that of the setting.

    `questions` float32[m, 384].

    Raises:
        ConfigurationError: a plan does not use the index named, or an exact one does use one.
    """
    lines: list[str] = []
    explain = f"EXPLAIN (FORMAT JSON) {statement(setting)}".encode()
    for vector in questions:
        cursor = await connection.execute(explain, parameters(setting, user, vector))
        (([found],),) = await cursor.fetchall()
        lines = list(_lines(found["Plan"]))
        _check(setting, lines)
    return lines


def _check(setting: Setting, plan: Sequence[str]) -> None:
    used = [line for line in plan if "_index" in line]
    if setting.kind is Kind.EXACT and used:
        raise ConfigurationError("search", f"{setting} is to be exact, but the plan uses {used[0]}")
    named = index_name(setting.kind, setting.kept)
    if setting.kind is not Kind.EXACT and not any(line.endswith(named) for line in plan):
        raise ConfigurationError(
            "search",
            f"{setting} is to use {named}, but the plan is {'; '.join(plan)}",
            "Build the index first; timing a scan in its name would be a lie",
        )


def _lines(node: Mapping[str, Any]) -> Iterator[str]:
    named = node.get("Index Name") or node.get("Relation Name") or ""
    yield f"{node['Node Type']} {named}".strip()
    for child in node.get("Plans", ()):
        yield from _lines(child)


async def scans(connections: Sequence[Connection], setting: Setting) -> int:
    """How often the index was scanned so far, by its own count; 0 without one.

    The connections are those that searched: each hands in what it has counted.
    """
    for connection in connections:
        await connection.execute("SELECT pg_stat_force_next_flush()")
    found = await connections[0].execute(
        "SELECT idx_scan FROM pg_stat_user_indexes WHERE schemaname = %s AND indexrelname = %s",
        [SCHEMA, index_name(setting.kind, setting.kept)],
    )
    row = await found.fetchone()
    return int(row[0]) if row else 0


def check_count(setting: Setting, counted: int, asked: int) -> None:
    """Refuse timings of `asked` searches of which not every one has scanned the index.

    Raises:
        ConfigurationError: the index was scanned `counted` times, and that is fewer.
    """
    if setting.kind is not Kind.EXACT and counted < asked:
        raise ConfigurationError(
            "search", f"{setting}: {asked} searches were timed, but its index was used {counted} ×"
        )
