"""What a cached answer is measured beside: the same reads behind the barest, and the usual, app.

python -m evals.bench.http_references starlette|fastapi PORT DATABASE_URL REDIS_URL KEY_SHA256
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, NamedTuple

import psycopg
import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import APIKeyHeader
from prometheus_fastapi_instrumentator import Instrumentator
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

USER = "bench"
ENTRY = "reference:answer"
"""The key of the answer in Redis."""

_EPOCH = "SELECT epoch::text FROM users WHERE id = %s"
_CONNECTIONS = 32


class Where(NamedTuple):
    """What an app reads, and whom it lets in."""

    database_url: str
    redis_url: str
    key_sha256: str


def barest(where: Where) -> ASGIApp:
    """Starlette: one GET by redis-py, one prepared SELECT, no credential and no body looked at."""
    redis: Redis = Redis.from_url(where.redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=None)
    connections: list[psycopg.AsyncConnection[Any]] = []
    turns = itertools.cycle(range(_CONNECTIONS))

    async def reads(request: Request) -> Response:
        body = await redis.get(ENTRY)
        cursor = await connections[next(turns)].execute(_EPOCH, (USER,))
        assert await cursor.fetchone()
        return Response(body, media_type="application/json")

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(redis)
            for _ in range(_CONNECTIONS):
                opened = await psycopg.AsyncConnection.connect(
                    where.database_url, autocommit=True, prepare_threshold=0
                )
                connections.append(await stack.enter_async_context(opened))
            yield

    routes = [Route("/assistant/query", reads, methods=["POST"])]
    return Starlette(routes=routes, lifespan=running)


class Query(BaseModel):
    """A question."""

    question: str


class AnswerModel(BaseModel):
    """An answer, as the app under measurement gives it."""

    text: str
    provenance: str
    citations: list[dict[str, Any]]
    usage: dict[str, int]
    cost_usd: float
    generator: str
    model: str
    flags: list[str]
    notice: str
    timings_ms: dict[str, float]


_HEADER = APIKeyHeader(name="X-API-Key")


async def user_of(request: Request, key: Annotated[str, Depends(_HEADER)]) -> str:
    """Whose the key is."""
    given = hashlib.sha256(key.encode()).hexdigest()
    if not secrets.compare_digest(given, request.app.state.key_sha256):
        raise HTTPException(401, "unknown key")
    return USER


async def answer(
    request: Request, query: Query, user: Annotated[str, Depends(user_of)]
) -> AnswerModel:
    """The answer in Redis, when the user's epoch has been read."""
    async with request.app.state.pool.connection() as connection:
        cursor = await connection.execute(_EPOCH, (user,))
        found = await cursor.fetchone()
    body = await request.app.state.redis.get(ENTRY)
    if found is None or body is None:
        raise HTTPException(404, "nothing is known of it")
    return AnswerModel.model_validate_json(body)


def usual(where: Where) -> ASGIApp:
    """FastAPI with models, an API key, a pool, and prometheus-fastapi-instrumentator around it."""

    @asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        pool = AsyncConnectionPool(
            where.database_url,
            min_size=4,
            max_size=_CONNECTIONS,
            kwargs={"autocommit": True, "prepare_threshold": 0},
            open=False,
        )
        async with Redis.from_url(where.redis_url) as redis, pool:
            app.state.redis, app.state.pool = redis, pool
            yield

    app = FastAPI(lifespan=running)
    app.state.key_sha256 = where.key_sha256
    app.post("/assistant/query")(answer)
    Instrumentator().instrument(app).expose(app)
    return app


APPS: dict[str, Callable[[Where], ASGIApp]] = {"starlette": barest, "fastapi": usual}


def main(name: str, port: str, *where: str) -> None:
    """Serve one of them."""
    config = uvicorn.Config(
        APPS[name](Where(*where)),
        port=int(port),
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
    uvicorn.Server(config).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
