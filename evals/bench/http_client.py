"""A load generator in a process of its own: raw sockets, the bytes of one request again and again.

    python -m evals.bench.http_client       reads a Task a line, writes what it Measured a line

An HTTP library takes longer to ask than a server to answer; this takes some 40 µs a request.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from typing import cast

import msgspec
import uvloop

_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TIMING = re.compile(rb"\r\nserver-timing:([^\r]*)", re.IGNORECASE)
_STEP = re.compile(r"([\w-]+);dur=([\d.]+)")

NUMBER = b"00000000"
"""Stands in a request for its own number, where each is to be another question."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What to ask, of whom, how often and over how many connections that stay open."""

    port: int
    request: bytes
    """Whole, as it goes over the wire; `NUMBER` in it becomes the number of the request."""
    requests: int
    connections: int = 1
    rate: float | None = None
    """Arrivals a second, drawn ahead, each on a connection that idles; None: each connection asks
    again as soon as it is answered."""
    marks: tuple[bytes, ...] = ()
    """What is looked for in each response."""
    seed: int = 1
    first: int = 0
    """The number of the first request."""

    def numbered(self, number: int) -> bytes:
        """The bytes of the request of that number."""
        return self.request.replace(NUMBER, b"%08d" % (self.first + number))


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came back, a value a request; all times are milliseconds."""

    answered_ms: list[float]
    """Until the last byte: from sending, or at a rate from when it should have been sent."""
    marked_ms: list[float]
    """Until the first of the marks was there, for the responses that had it."""
    steps_ms: dict[str, list[float]]
    """What Server-Timing said of each step, 0 where a response did not name it."""
    statuses: dict[str, int]
    marked: dict[str, int]
    """How many responses held each mark."""
    last: bytes
    """The last response, whole."""


class Response:
    """One response as it comes; it `began` at a time in seconds of `perf_counter`."""

    __slots__ = ("_needs", "began", "body", "done", "mark", "marked_at")

    def __init__(self, began: float, mark: bytes) -> None:
        self.began, self.mark = began, mark
        self.body = b""
        self.marked_at = 0.0
        self._needs = -1
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def feed(self, data: bytes) -> None:
        """Take what came; `done` has the time of the last byte."""
        self.body += data
        now = time.perf_counter()
        if self.mark and not self.marked_at and self.mark in self.body:
            self.marked_at = now
        if self._ended() and not self.done.done():
            self.done.set_result(now)

    def _ended(self) -> bool:
        if self._needs < 0:
            head = self.body.find(_HEAD_END)
            if head < 0:
                return False
            length = _LENGTH.search(self.body, 0, head)
            self._needs = head + len(_HEAD_END) + int(length[1]) if length else 0
        if self._needs:
            return len(self.body) >= self._needs
        return self.body.endswith(b"\r\n0\r\n\r\n")


class Connection(asyncio.Protocol):
    """A connection that stays open; one request at a time."""

    def __init__(self) -> None:
        self._response: Response | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport says so."""
        self._transport = cast(asyncio.WriteTransport, transport)

    def data_received(self, data: bytes) -> None:
        """The transport says so."""
        if self._response:
            self._response.feed(data)

    def connection_lost(self, error: Exception | None) -> None:
        """The transport says so."""
        if self._response and not self._response.done.done():
            self._response.done.set_exception(ConnectionResetError("the server hung up"))

    async def ask(self, request: bytes, mark: bytes, began: float = 0.0) -> Response:
        """The whole response; its time runs from `began` (`perf_counter`'s seconds), or from now.

        Raises:
            ConnectionResetError: the server hung up.
        """
        self._response = response = Response(began or time.perf_counter(), mark)
        self._transport.write(request)
        await response.done
        return response

    def close(self) -> None:
        """Hang up."""
        self._transport.close()


async def run(task: Task) -> Measured:
    """Open the connections, ask, and close them."""
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(Connection, "127.0.0.1", task.port))[1]
        for _ in range(task.connections)
    ]
    try:
        ask = _in_turn if task.rate is None else _at_rate
        return _measured(task, await ask(task, opened))
    finally:
        for connection in opened:
            connection.close()


async def _in_turn(task: Task, opened: Sequence[Connection]) -> list[Response]:
    mark = task.marks[0] if task.marks else b""

    async def client(connection: Connection, first: int) -> list[Response]:
        turns = range(first, task.requests, task.connections)
        return [await connection.ask(task.numbered(turn), mark) for turn in turns]

    answered = await asyncio.gather(*map(client, opened, range(task.connections)))
    return [response for each in answered for response in each]


async def _at_rate(task: Task, opened: Sequence[Connection]) -> list[Response]:
    """Arrivals of a Poisson process; where all connections are busy, the wait counts.

    Each connection asks once before: a server hangs up on who connects and says nothing.
    """
    assert task.rate
    chance, mark = random.Random(task.seed), task.marks[0] if task.marks else b""
    for connection in opened:
        await connection.ask(task.numbered(0), mark)
    idle: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in chance.sample(opened, len(opened)):
        idle.put_nowait(connection)

    async def arrival(number: int, due: float) -> Response:
        connection = await idle.get()
        try:
            return await connection.ask(task.numbered(number), mark, due)
        finally:
            idle.put_nowait(connection)

    due = time.perf_counter()
    arrivals = []
    for number in range(task.requests):
        due += chance.expovariate(task.rate)
        if (wait_s := due - time.perf_counter()) > 0:
            await asyncio.sleep(wait_s)
        arrivals.append(asyncio.create_task(arrival(number, due)))
    return await asyncio.gather(*arrivals)


def _measured(task: Task, responses: Sequence[Response]) -> Measured:
    return Measured(
        answered_ms=[(each.done.result() - each.began) * 1000 for each in responses],
        marked_ms=[(r.marked_at - r.began) * 1000 for r in responses if r.marked_at],
        steps_ms=_by_step([_timing(response.body) for response in responses]),
        statuses=Counter(response.body[9:12].decode() for response in responses),
        marked={
            mark.decode(): sum(mark in response.body for response in responses)
            for mark in task.marks
        },
        last=responses[-1].body,
    )


def _timing(response: bytes) -> dict[str, float]:
    timing = _TIMING.search(response)
    return {name: float(ms) for name, ms in _STEP.findall(timing[1].decode())} if timing else {}


def _by_step(timings: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    names = {name for timing in timings for name in timing}
    return {name: [timing.get(name, 0.0) for timing in timings] for name in sorted(names)}


def main() -> None:
    """Serve tasks until standard input ends."""
    decoder, encoder = msgspec.json.Decoder(Task), msgspec.json.Encoder()
    for line in sys.stdin.buffer:
        measured = uvloop.run(run(decoder.decode(line)))
        sys.stdout.buffer.write(encoder.encode(measured) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
