"""Tables of the study's own, one for each kind of search, and the indexes over them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import psycopg
from pgvector import Vector as PgVector
from pgvector.psycopg import register_vector_async

from evals.hnsw.grid import Build, Kept, Kind
from rag_core.adapters.postgres import Connection

if TYPE_CHECKING:
    from rag_core.domain import Matrix

SCHEMA = "hnsw_study"
_COLUMNS = {
    Kept.VECTOR: "embedding vector(384) NOT NULL",
    Kept.HALFVEC: "embedding halfvec(384) NOT NULL",
    Kept.BINARY: "embedding vector(384) NOT NULL, bits bit(384) NOT NULL",
}
_KEY = "user_id text NOT NULL, note_id text NOT NULL, position integer NOT NULL"
_ALL = f"{SCHEMA}.all_rows"
_SELECTED = {
    Kept.VECTOR: "user_id, note_id, position, embedding",
    Kept.HALFVEC: "user_id, note_id, position, embedding::halfvec(384)",
    Kept.BINARY: "user_id, note_id, position, embedding, binary_quantize(embedding)::bit(384)",
}
_INDEXED = {
    Kept.VECTOR: "embedding vector_ip_ops",
    Kept.HALFVEC: "embedding halfvec_ip_ops",
    Kept.BINARY: "bits bit_hamming_ops",
}
_BUILD_MEMORY = "1GB"
"""For building: a graph that outgrows it takes several times as long."""


@dataclass(frozen=True, slots=True)
class Built:
    """An index that was built: seconds, and bytes on disk of it and of its table with the key."""

    build: Build
    seconds: float
    index_bytes: int
    table_bytes: int


async def connected(url: str) -> Connection:
    """A connection that prepares every statement and speaks vectors."""
    connection = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=0)
    await connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    await register_vector_async(connection)
    return connection


@asynccontextmanager
async def schema(url: str) -> AsyncIterator[None]:
    """A new schema while the block lasts; what stands in it afterwards is dropped."""
    drop = f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE".encode()
    async with await connected(url) as connection:
        await connection.execute(drop)
        await connection.execute(f"CREATE SCHEMA {SCHEMA}".encode())
    try:
        yield
    finally:
        async with await connected(url) as connection:
            await connection.execute(drop)


def table_name(kind: Kind, kept: Kept) -> str:
    """Of the rows that such an index stands over, with the schema."""
    return f"{SCHEMA}.{kind}_{kept}".lower()


def index_name(kind: Kind, kept: Kept) -> str:
    """Of an index over that table, as a plan has it."""
    return f"{kind}_{kept}_index".lower()


async def fill(
    connection: Connection, vectors: Matrix, tenants: Mapping[str, slice], kept: Sequence[Kept]
) -> None:
    """Make and fill a table for each kind and each of `kept`.

    `user_id` stands first in their keys as in that of `chunk_vectors`; `vectors` float32[rows, 384]
    are the tenants' rows, and a row's `note_id` is its number. Rows keep their vectors in place,
    and nothing vacuums them unless it is told to.
    """
    await connection.execute(f"CREATE TABLE {_ALL} ({_KEY}, embedding vector(384))".encode())
    copy = f"COPY {_ALL} FROM STDIN (FORMAT binary)"
    async with connection.cursor() as cursor, cursor.copy(copy.encode()) as rows:
        rows.set_types(("text", "text", "int4", "vector"))
        for user, span in tenants.items():
            for number in range(span.start, span.stop):
                await rows.write_row((user, str(number), 0, PgVector(vectors[number])))
    for kind, each in product(Kind, kept):
        await _fill_one(connection, kind, each)


async def _fill_one(connection: Connection, kind: Kind, kept: Kept) -> None:
    table = table_name(kind, kept)
    for line in (
        f"CREATE TABLE {table} ({_KEY}, {_COLUMNS[kept]}) WITH (autovacuum_enabled = off)",
        f"ALTER TABLE {table} ALTER embedding SET STORAGE PLAIN",
        f"INSERT INTO {table} SELECT {_SELECTED[kept]} FROM {_ALL}",
        f"ALTER TABLE {table} ADD PRIMARY KEY (user_id, note_id, position)",
        f"VACUUM ANALYZE {table}",
    ):
        await connection.execute(line.encode())


async def build_index(connection: Connection, build: Build) -> Built:
    """Build the index in place of the one that the table has; nothing to build for exact scans."""
    table = table_name(build.kind, build.kept)
    seconds = 0.0
    if build.kind is not Kind.EXACT:
        await drop_index(connection, build)
        await connection.execute(f"SET maintenance_work_mem = '{_BUILD_MEMORY}'".encode())
        began = time.perf_counter()
        await connection.execute(_create(build).encode())
        seconds = time.perf_counter() - began
    return Built(
        build,
        seconds,
        await _bytes(connection, f"{SCHEMA}.{index_name(build.kind, build.kept)}"),
        await _bytes(connection, table) + await _bytes(connection, f"{table}_pkey"),
    )


async def drop_index(connection: Connection, build: Build) -> None:
    """Drop the index of that kind, if there is one."""
    name = index_name(build.kind, build.kept)
    await connection.execute(f"DROP INDEX IF EXISTS {SCHEMA}.{name}".encode())


def _create(build: Build) -> str:
    options = {
        Kind.HNSW: f"m = {build.m}, ef_construction = {build.ef_construction}",
        Kind.IVFFLAT: f"lists = {build.lists}",
    }
    return (
        f"CREATE INDEX {index_name(build.kind, build.kept)}"
        f" ON {table_name(build.kind, build.kept)}"
        f" USING {build.kind.lower()} ({_INDEXED[build.kept]}) WITH ({options[build.kind]})"
    )


async def _bytes(connection: Connection, relation: str) -> int:
    """Of a table or an index on disk; 0 for one that is not there."""
    found = await connection.execute(
        "SELECT coalesce(pg_relation_size(to_regclass(%s)), 0)", [relation]
    )
    row = await found.fetchone()
    return int(row[0]) if row else 0
