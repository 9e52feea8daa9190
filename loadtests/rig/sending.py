"""Requests before and after a load: notes are saved, questions asked, what was saved is read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import httpx2
from rich.progress import Progress

from loadtests.record.reply import Reply, no_reply, read_reply
from loadtests.rig.child import ChildFailed
from loadtests.traffic.calls import Call, Calls
from loadtests.traffic.people import Person

_AT_ONCE = 16
_TIMEOUT_S = 60.0
_LATER = frozenset({429, 503, 504})
_TRIES, _WAIT_S = 20, 1.0


class Sender:
    """Sends requests to the application under test, some at a time."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def send(self, call: Call) -> tuple[Reply, bytes]:
        """The reply to one request, and its body; what is to come later is sent again later."""
        for _ in range(_TRIES - 1):
            reply, body = await self._once(call)
            if reply.status not in _LATER:
                return reply, body
            await asyncio.sleep(_WAIT_S)
        return await self._once(call)

    async def _once(self, call: Call) -> tuple[Reply, bytes]:
        try:
            response = await self._http.request(
                call.method, call.path, content=call.body or None, headers=dict(call.headers)
            )
        except httpx2.TransportError:
            return no_reply(), b""
        etag = response.headers.get("etag", "")
        return read_reply(call, response.status_code, response.content, etag), response.content

    async def send_all(self, calls: Sequence[Call], label: str) -> list[tuple[Reply, bytes]]:
        """The replies to all of them, with progress on the terminal."""
        places = asyncio.Semaphore(_AT_ONCE)
        with Progress(transient=True) as progress:
            task = progress.add_task(label, total=len(calls))

            async def one(call: Call) -> tuple[Reply, bytes]:
                async with places:
                    reply = await self.send(call)
                progress.advance(task)
                return reply

            return await asyncio.gather(*map(one, calls))


@asynccontextmanager
async def sending(url: str) -> AsyncIterator[Sender]:
    """A sender to the application at `url`."""
    limits = httpx2.Limits(max_connections=_AT_ONCE)
    async with httpx2.AsyncClient(
        base_url=url, timeout=_TIMEOUT_S, limits=limits, trust_env=False
    ) as http:
        yield Sender(http)


async def seed(sender: Sender, calls: Calls, everyone: Sequence[Person]) -> int:
    """Give everyone their notes; the number of notes.

    Raises:
        ChildFailed: one of them was not saved.
    """
    saves = [calls.save(person, note) for person in everyone for note in person.notes]
    _require(await sender.send_all(saves, "saving everyone's notes"), "a note was not saved")
    return len(saves)


async def warm(sender: Sender, calls: Calls, everyone: Sequence[Person], ranks: int) -> int:
    """Ask everyone's most popular questions, so that their answers are cached; their number.

    Raises:
        ChildFailed: one of them was not answered.
    """
    asked = [calls.question(person, rank) for person in everyone for rank in range(ranks)]
    _require(await sender.send_all(asked, "warming the caches"), "a question was not answered")
    return len(asked)


def _require(replies: Iterable[tuple[Reply, bytes]], problem: str) -> None:
    wrong = next((reply for reply, _ in replies if not reply.right), None)
    if wrong:
        raise ChildFailed(f"{problem}: {wrong.outcome}, status {wrong.status}")
