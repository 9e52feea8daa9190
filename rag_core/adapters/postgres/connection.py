"""One connection to Postgres: how it is made, and how it is hung up in time."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from typing import Any

import psycopg

Row = tuple[Any, ...]
Connection = psycopg.AsyncConnection[Row]
Cursor = psycopg.AsyncCursor[Row]

CONNECT_TIMEOUT_S = 2
"""The least that libpq allows."""


def connection_options(prepare: bool) -> dict[str, Any]:
    """What every connection is made with; nothing that would be kept in a session.

    Args:
        prepare: use prepared statements; False behind pgbouncer before 1.21.
    """
    return {
        "autocommit": True,
        "prepare_threshold": 0 if prepare else None,
        "connect_timeout": CONNECT_TIMEOUT_S,
    }


class HungUpAt:
    """While its block lasts: hang up when the time is up, so that whoever waits gets an error.

    Cancelling would not do: psycopg asks the server to cancel and waits for that, and a frozen
    server does not answer. A connection that was hung up is replaced by its pool.
    (A class, not a generator: every search pays for it.)

    Raises:
        TimeoutError: it was hung up.
    """

    __slots__ = ("_connection", "_hung_up", "_left_s", "_timer")

    def __init__(self, connection: Connection, until: float) -> None:
        self._connection, self._hung_up = connection, False
        self._left_s = until - time.monotonic()

    def __enter__(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._left_s, self._hang_up)

    def __exit__(self, kind: object, error: BaseException | None, at: object) -> None:
        self._timer.cancel()
        if self._hung_up and isinstance(error, psycopg.OperationalError):
            raise TimeoutError(f"hung up after {self._left_s:.1f} s") from error

    def _hang_up(self) -> None:
        self._hung_up = True
        # Suppressed: it is closed already.
        with (
            suppress(OSError, psycopg.OperationalError),
            socket.socket(fileno=os.dup(self._connection.fileno())) as handle,
        ):
            handle.shutdown(socket.SHUT_RDWR)
