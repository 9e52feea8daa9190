"""No time is told of an index that was not used: a dropped one makes it fail, not lie."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from evals.hnsw.grid import LARGEST, Build, Kept, Kind, Setting
from evals.hnsw.oracle import K, Oracle
from evals.hnsw.proof import check_count, check_plans
from evals.hnsw.tables import build_index, connected, drop_index, fill, schema
from evals.hnsw.timing import clients
from rag_core.adapters.postgres import Connection
from rag_core.errors import ConfigurationError
from tests.evals.hnsw.unit_vectors import unit_vectors

ROWS = 300
SETTINGS = {
    Kind.EXACT: (Build(Kind.EXACT, Kept.VECTOR), 0),
    Kind.HNSW: (Build(Kind.HNSW, Kept.VECTOR, m=16, ef_construction=64), 100),
    Kind.IVFFLAT: (Build(Kind.IVFFLAT, Kept.VECTOR, lists=5), 5),
}


def _setting(kind: Kind, kept: Kept = Kept.VECTOR) -> Setting:
    build, width = SETTINGS[kind]
    return Setting(
        Build(kind, kept, m=build.m, ef_construction=build.ef_construction, lists=build.lists),
        width,
    )


VECTORS, QUESTIONS = unit_vectors(ROWS), unit_vectors(8, seed=1)


@asynccontextmanager
async def _filled(url: str, kept: Kept = Kept.VECTOR) -> AsyncIterator[Connection]:
    tenants = {"other": slice(0, 50), LARGEST: slice(50, ROWS)}
    async with schema(url), await connected(url) as connection:
        await fill(connection, VECTORS, tenants, [kept])
        yield connection


@pytest.mark.parametrize("kept", Kept)
@pytest.mark.parametrize("kind", Kind)
async def test_every_kind_finds_the_tenants_nearest(
    kind: Kind, kept: Kept, empty_database: str
) -> None:
    setting = _setting(kind, kept)
    async with _filled(empty_database, kept) as connection, clients(empty_database, 2) as asking:
        built = await build_index(connection, setting.build)
        timing = await asking.measure(setting, LARGEST, QUESTIONS, passes=2)
    oracle = Oracle.of(VECTORS[50:], QUESTIONS, first=50)
    assert (timing.recall(oracle).value or 0.0) > (0.5 if kept is Kept.BINARY else 0.99)
    assert timing.short(oracle) == 0
    assert len(timing.searches) == 2 * len(QUESTIONS)
    assert (built.index_bytes > 0) is (kind is not Kind.EXACT)
    assert timing.client_cpu_us > 0
    assert timing.server_cpu_us > 0


@pytest.mark.parametrize("kind", [Kind.HNSW, Kind.IVFFLAT])
async def test_a_dropped_index_fails(kind: Kind, empty_database: str) -> None:
    setting = _setting(kind)
    async with _filled(empty_database) as connection, clients(empty_database, 1) as asking:
        await build_index(connection, setting.build)
        await asking.measure(setting, LARGEST, QUESTIONS)
        await drop_index(connection, setting.build)
        with pytest.raises(ConfigurationError, match="its index was used 0 ×"):
            await asking.measure(setting, LARGEST, QUESTIONS)


async def test_a_plan_that_uses_no_index_fails_by_itself(empty_database: str) -> None:
    setting = _setting(Kind.HNSW)
    async with _filled(empty_database) as connection:
        with pytest.raises(ConfigurationError, match="is to use hnsw_vector_index"):
            await check_plans(connection, setting, LARGEST, QUESTIONS)


def test_one_search_that_went_another_way_fails() -> None:
    with pytest.raises(ConfigurationError, match="9 ×"):
        check_count(_setting(Kind.HNSW), counted=9, asked=10)


async def test_a_small_tenant_gets_all_that_it_has(empty_database: str) -> None:
    """The graph's nearest are another tenant's: the scan goes on until there are enough."""
    setting = Setting(Build(Kind.HNSW, Kept.VECTOR, m=16, ef_construction=64), 10)
    async with _filled(empty_database) as connection, clients(empty_database, 1) as asking:
        await build_index(connection, setting.build)
        timing = await asking.measure(setting, "other", QUESTIONS)
    assert timing.short(Oracle.of(VECTORS[:50], QUESTIONS)) == 0
    assert {row for each in timing.searches for row in each.rows} <= set(range(50))
    assert {len(each.rows) for each in timing.searches} == {K}
