"""Servers that alerts are sent to: one speaks just enough HTTP, the other just enough SMTP."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.message import Message
from typing import Any

HANG = 0
"""In place of a status: no answer ever comes."""


class Receiver:
    """What came in, and where the server is."""

    def __init__(self) -> None:
        self.port = 0
        self.alerts: list[dict[str, Any]] = []
        self.mails: list[Message] = []
        self.logins: list[str] = []
        self.arrived = asyncio.Event()


@asynccontextmanager
async def webhook_receiver(*statuses: int) -> AsyncIterator[Receiver]:
    """Answers with these statuses in turn, and with the last one for ever."""
    receiver, turns = Receiver(), _endless(statuses)

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        receiver.alerts.append(json.loads(await reader.readexactly(length)))
        receiver.arrived.set()
        if status := next(turns):
            writer.write(
                b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status
            )
            await writer.drain()
        else:
            await reader.read()  # until the client hangs up
        writer.close()

    async with _listening(receiver, serve):
        yield receiver


@asynccontextmanager
async def mail_receiver() -> AsyncIterator[Receiver]:
    """Takes every mail and password, and offers no TLS."""
    receiver = Receiver()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).strip().upper():
            if line == b"DATA":
                writer.write(b"354 go on\r\n")
                mail = await reader.readuntil(b"\r\n.\r\n")
                receiver.mails.append(message_from_bytes(mail.removesuffix(b".\r\n")))
            elif line.startswith(b"AUTH"):
                receiver.logins.append(line.decode())
            elif line.startswith(b"EHLO"):
                writer.write(b"250-here\r\n250-AUTH PLAIN\r\n")
            writer.write(b"221 bye\r\n" if line == b"QUIT" else b"250 ok\r\n")
            await writer.drain()
        writer.close()

    async with _listening(receiver, serve):
        yield receiver


def _endless(statuses: tuple[int, ...]) -> Iterator[int]:
    yield from statuses
    while True:
        yield statuses[-1]


@asynccontextmanager
async def _listening(receiver: Receiver, serve: Any) -> AsyncIterator[None]:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
