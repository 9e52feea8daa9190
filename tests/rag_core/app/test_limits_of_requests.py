"""What a request may be: its body's size, speed and kind, its head, its origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from rag_core.app import protocol
from rag_core.domain import Tokenizer, UserId
from rag_core.settings import Settings
from tests.rag_core.app.served import USER_HEADER, Served, open_served


@pytest.fixture
async def strict(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Served]:
    """Small bodies, quickly sent, and pages of one origin."""
    changes = {
        "body_bytes": 1_000,
        "body_timeout_s": 0.2,
        "cors_origins": ("https://notes.example.org",),
    }
    async with open_served(settings.model_copy(update=changes), user, tokenizer) as served:
        yield served


async def sent(served: Served, *parts: bytes, user: str = "") -> bytes:
    """What comes back on a connection of its own for these bytes, until the server ends it."""
    url = urlsplit(served.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    for part in parts:
        writer.write(part.replace(b"USER", user.encode()))
        await writer.drain()
    reply = await asyncio.wait_for(reader.read(), 60)
    writer.close()
    return reply


async def test_a_body_that_says_it_is_too_large_is_refused(strict: Served) -> None:
    reply = await strict.client.post("/assistant/query", content=b"x" * 1_001)
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


async def test_a_body_that_turns_out_to_be_too_large_is_refused(strict: Served) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    reply = await strict.client.post("/assistant/query", content=pieces())
    assert (reply.status_code, reply.json()["code"]) == (413, "body_too_large")


async def test_who_goes_on_sending_what_was_refused_is_hung_up_on(
    strict: Served, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "LINGER_S", 0.2)
    head = (
        b"POST /assistant/query HTTP/1.1\r\nHost: x\r\nX-Test-User: USER\r\n"
        b"Content-Length: 100000\r\n\r\n"
    )
    reply = await sent(strict, head, b"x" * 500, user=user)
    assert b"HTTP/1.1 413" in reply


async def test_a_body_that_does_not_come_is_not_waited_for(strict: Served, user: UserId) -> None:
    head = (
        b"POST /assistant/query HTTP/1.1\r\nHost: x\r\nX-Test-User: USER\r\n"
        b"Content-Length: 100\r\n\r\n"
    )
    reply = await sent(strict, head, b'{"question"', user=user)
    assert b"HTTP/1.1 408" in reply
    assert b'"code":"request_timeout"' in reply


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"question": 3}', "application/json", 422),
        (b'{"question": "x"', "application/json", 400),
        (b"", "application/json", 400),
        (b'{"question": "\xff"}', "application/json", 400),
        (b"[" * 900, "application/json", 422),
        (b'{"question": "x"}', "text/plain", 415),
        (b"question=x", "application/x-www-form-urlencoded", 415),
        (b'{"question": "x"}', "application/json; charset=utf-8", 200),
        (b'{"question": "x"}', "", 200),
    ],
)
async def test_a_body_is_json_of_the_form_that_is_wanted(
    strict: Served, content: bytes, kind: str, status: int
) -> None:
    reply = await strict.client.post(
        "/assistant/query", content=content, headers={"content-type": kind}
    )
    assert reply.status_code == status


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nothing", 404), ("GET", "/assistant/query", 405), ("POST", "/notes", 405)],
)
async def test_what_is_not_there_is_a_problem_too(
    strict: Served, method: str, path: str, status: int
) -> None:
    reply = await strict.client.request(method, path)
    assert (reply.status_code, reply.headers["content-type"]) == (
        status,
        "application/problem+json",
    )
    assert ("allow" in reply.headers) == (status == 405)


async def test_a_page_of_another_origin_may_not_call(strict: Served) -> None:
    asked = {"origin": "https://evil.example.org", "access-control-request-method": "POST"}
    reply = await strict.client.options("/assistant/query", headers=asked)
    assert reply.status_code == 400
    assert "access-control-allow-origin" not in reply.headers


async def test_a_page_of_a_listed_origin_may_call_and_read_refusals(strict: Served) -> None:
    asked = {
        "origin": "https://notes.example.org",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "authorization, if-match",
    }
    preflight = await strict.client.options("/notes/x", headers=asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (
        200,
        "https://notes.example.org",
    )
    asked = {"origin": "https://notes.example.org", USER_HEADER: ""}
    refused = await strict.client.get("/notes/x", headers=asked)
    assert refused.status_code == 401
    assert refused.headers["access-control-allow-origin"] == "https://notes.example.org"


async def test_by_default_no_page_may_call(served: Served) -> None:
    reply = await served.client.get("/notes", headers={"origin": "https://notes.example.org"})
    assert "access-control-allow-origin" not in reply.headers


# The head, over a socket of its own


async def test_a_head_without_end_is_refused(strict: Served) -> None:
    piece = b"".join(b"x-%d: %s\r\n" % (n, b"y" * 1_000) for n in range(40))
    pieces = [piece] * (2 * protocol.HEAD_BYTES // len(piece))
    reply = await sent(strict, b"GET /health/live HTTP/1.1\r\nHost: x\r\n", *pieces)
    assert b"HTTP/1.1 400" in reply
    assert b"head is too large" in reply


@pytest.mark.parametrize("begun", [b"", b"GET /health/live HTTP/1.1\r\nHost: x\r\n"])
async def test_a_head_that_does_not_come_is_not_waited_for(
    strict: Served, begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_TIMEOUT_S", 0.2)
    reply = await sent(strict, begun)
    assert reply == b"" if not begun else b"HTTP/1.1 400" in reply


@pytest.mark.parametrize(
    "head",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"\r\n\r\n\r\nBREW /coffee\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_and_the_next_is_served(
    strict: Served, head: bytes
) -> None:
    assert b"HTTP/1.1 4" in await sent(strict, head)
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"{strict.url}/health/live")).status_code == 200
