"""Where a proxy leads to, and the URL by which clients go through it."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, quote, unquote, urlencode, urlsplit

from psycopg.conninfo import conninfo_to_dict

Address = Path | tuple[str, int]


@dataclass(frozen=True, slots=True)
class Route:
    """A server's address, the name that a socket before it must have, and the URL over that."""

    server: Address
    socket_name: str
    url: Callable[[Path], str]

    async def connect(self) -> tuple[StreamReader, StreamWriter]:
        """A connection to the server itself."""
        if isinstance(self.server, Path):
            return await asyncio.open_unix_connection(self.server)
        return await asyncio.open_connection(*self.server)


def route_to(url: str) -> Route:
    """The route to the server at `url`.

    Raises:
        ValueError: neither Postgres nor one Redis without TLS.
    """
    parts = urlsplit(url)
    if parts.scheme in ("postgresql", "postgres"):
        return _to_postgres(url, parts)
    if parts.scheme in ("redis", "unix"):
        return _to_redis(parts)
    raise ValueError(f"no proxy for {parts.scheme}://")


def _to_postgres(url: str, parts: SplitResult) -> Route:
    options = conninfo_to_dict(url)
    host, port = str(options.get("host") or "localhost"), int(options.get("port") or 5432)
    server: Address = Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)

    def through(socket: Path) -> str:
        kept = [(k, v) for k, v in parse_qsl(parts.query) if k not in ("host", "hostaddr", "port")]
        query = urlencode([*kept, ("host", str(socket.parent))], safe="/", quote_via=quote)
        return f"{parts.scheme}://{_login(parts)}{parts.path}?{query}"

    return Route(server, ".s.PGSQL.5432", through)


def _to_redis(parts: SplitResult) -> Route:
    tcp = parts.scheme == "redis"
    server: Address = (
        (parts.hostname or "localhost", parts.port or 6379) if tcp else Path(unquote(parts.path))
    )

    def through(socket: Path) -> str:
        options = parse_qsl(parts.query)
        if tcp and (db := parts.path.strip("/")):
            options.append(("db", db))
        query = f"?{urlencode(options)}" if options else ""
        return f"unix://{_login(parts)}{quote(str(socket))}{query}"

    return Route(server, "redis.sock", through)


def _login(parts: SplitResult) -> str:
    login, at, _ = parts.netloc.rpartition("@")
    return f"{login}{at}"
