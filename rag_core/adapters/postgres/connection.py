"""One connection to Postgres: how it is made, and how it is hung up in time."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


@contextmanager
def hung_up_at(connection: Connection, until: float) -> Iterator[None]:
    """Hang up when the time is up: whoever waits for a reply gets an error at once.

    Cancelling would not do: psycopg asks the server to cancel and waits for that, and a frozen
    server does not answer. A connection that was hung up is replaced by its pool.

    Raises:
        TimeoutError: it was hung up.
    """
    left_s = until - time.monotonic()
    hung_up = asyncio.Event()
    timer = asyncio.get_running_loop().call_later(left_s, _hang_up, connection, hung_up)
    try:
        yield
    except psycopg.OperationalError as error:
        if hung_up.is_set():
            raise TimeoutError(f"hung up after {left_s:.1f} s") from error
        raise
    finally:
        timer.cancel()


def _hang_up(connection: Connection, hung_up: asyncio.Event) -> None:
    hung_up.set()
    # Suppressed: it is closed already.
    with (
        suppress(OSError, psycopg.OperationalError),
        socket.socket(fileno=os.dup(connection.fileno())) as handle,
    ):
        handle.shutdown(socket.SHUT_RDWR)
