"""Documents from the web: of hosts that are allowed, and never from inside."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from rag_core.adapters.documents.web import Address, Web, is_public, look_up
from rag_core.errors import InvalidInput

HOST = "notes.example.org"


class Site:
    """A server here that is said to be at hosts elsewhere, and remembers what was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.asked: list[bytes] = []
        self.looked_up: list[str] = []
        self.answers: dict[bytes, bytes] = {}

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head)
        answer = self.answers.get(head.split()[1], b"HTTP/1.1 404 No\r\n\r\n")
        writer.write(answer)
        if not answer:
            await reader.read()  # until whoever asked has gone
        writer.close()

    async def look_up(self, host: str, port: int) -> list[Address]:
        self.looked_up.append(host)
        return [ip_address("127.0.0.1")]

    def url(self, path: str, host: str = HOST) -> str:
        return f"http://{host}:{self.port}{path}"

    def web(self, timeout_s: float = 20.0) -> Web:
        """Which may ask this machine, as an exception."""
        return Web(
            (HOST, ".church.example"),
            look_up=self.look_up,
            may_be_asked=lambda address: address.is_loopback,
            timeout_s=timeout_s,
        )


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    site = Site()
    server = await asyncio.start_server(site.serve, "127.0.0.1", 0)
    site.port = server.sockets[0].getsockname()[1]
    async with server:
        yield site


def said(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def leads_to(url: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n".encode()


async def test_what_is_there_is_fetched_for_the_host_that_was_named(site: Site) -> None:
    site.answers[b"/grace?a=1"] = said(b"Grace is a gift.")
    assert await site.web().fetch(site.url("/grace?a=1")) == b"Grace is a gift."
    assert f"\r\nhost: {HOST}:{site.port}\r\n".encode() in site.asked[0].lower()


async def test_hosts_below_one_that_is_allowed_are_allowed(site: Site) -> None:
    site.answers[b"/"] = said(b"Grace.")
    assert await site.web().fetch(site.url("/", "a.b.church.example")) == b"Grace."
    for host in ("church.example", "evilchurch.example", "church.example.org"):
        with pytest.raises(InvalidInput, match="is not allowed"):
            await site.web().fetch(site.url("/", host))


async def test_a_redirect_is_followed_where_the_first_might_have_led(site: Site) -> None:
    site.answers |= {b"/a": leads_to("/b"), b"/b": leads_to(site.url("/c")), b"/c": said(b"x")}
    assert await site.web().fetch(site.url("/a")) == b"x"
    assert site.looked_up == [HOST] * 3, "each is checked"


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("http://169.254.169.254/latest/meta-data", "is not allowed"),
        ("http://localhost/", "is not allowed"),
        ("//other.example/", "is not allowed"),
        ("file:///etc/passwd", "must be http or https"),
        ("gopher://notes.example.org/", "must be http or https"),
        (f"http://ruth:secret@{HOST}/", "must be http or https, and hold no password"),
        ("/round", "leads on more than 5 times"),
    ],
)
async def test_a_redirect_leads_nowhere_else(site: Site, target: str, problem: str) -> None:
    site.answers |= {b"/a": leads_to(target), b"/round": leads_to("/round")}
    with pytest.raises(InvalidInput, match=problem):
        await site.web().fetch(site.url("/a"))


@pytest.mark.parametrize(
    "url",
    [
        *("http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/"),
        *("http://127.1/", "http://[::ffff:7f00:1]/", "http://0/", "http://localhost./"),
    ],
)
async def test_addresses_in_any_dress_are_no_allowed_hosts(url: str) -> None:
    with pytest.raises(InvalidInput, match="is not allowed"):
        await Web((HOST,)).fetch(url)


async def test_nothing_is_fetched_where_no_host_is_allowed() -> None:
    with pytest.raises(InvalidInput, match="RAG_INGEST_HOSTS"):
        await Web(()).fetch("https://notes.example.org/")


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0"),
        *("100.64.0.1", "192.0.2.1", "224.0.0.1", "255.255.255.255", "::", "::1", "fe80::1"),
        *("fc00::1", "ff02::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1"),
        *("64:ff9b:1::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:80ff:fffe"),
        "2001:db8::1",
    ],
)
async def test_a_name_that_leads_inside_is_not_asked(address: str) -> None:
    async def inside(host: str, port: int) -> list[Address]:
        return [ip_address("93.184.215.14"), ip_address(address)]

    assert not is_public(ip_address(address))
    with pytest.raises(InvalidInput, match="private address"):
        await Web((HOST,), look_up=inside).fetch(f"http://{HOST}/")


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111"])
def test_what_anybody_may_be_at_is_public(address: str) -> None:
    assert is_public(ip_address(address))


async def test_a_name_is_looked_up_once_so_that_it_cannot_lead_elsewhere_then(site: Site) -> None:
    answers = iter([ip_address("127.0.0.1"), ip_address("127.0.0.2")])

    async def changing(host: str, port: int) -> list[Address]:
        return [next(answers)]

    site.answers[b"/"] = said(b"Grace.")
    web = Web((HOST,), look_up=changing, may_be_asked=lambda address: address.is_loopback)
    assert await web.fetch(site.url("/")) == b"Grace."
    assert next(answers) == ip_address("127.0.0.2"), "nobody asked a second time"


async def test_one_that_never_ends_is_cut_a_little_above_what_a_document_may_have(
    site: Site,
) -> None:
    site.answers[b"/"] = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(30 * 2**20)
    content = await site.web().fetch(site.url("/"))
    assert 10 * 2**20 < len(content) < 12 * 2**20


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "took longer than 0.3 s"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", "answers 500"),
        (b"garbage\r\n\r\n", "cannot be fetched: RemoteProtocolError"),
    ],
)
async def test_a_host_that_fails_is_said_to(site: Site, answer: bytes, problem: str) -> None:
    site.answers[b"/"] = answer
    with pytest.raises(InvalidInput, match=problem):
        await site.web(timeout_s=0.3 if not answer else 20.0).fetch(site.url("/"))


async def test_a_name_without_an_address_is_said_to_have_none() -> None:
    with pytest.raises(InvalidInput, match="has no address"):
        await look_up("no-such-host.invalid", 80)
    assert await look_up("127.0.0.1", 80) == [ip_address("127.0.0.1")]
