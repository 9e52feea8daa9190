"""What the page's files come with over HTTP, and that they can be left out."""

from __future__ import annotations

import re

import httpx
import pytest

from rag_core.app.contract import contract
from rag_core.domain import Tokenizer, UserId
from rag_core.settings import Settings
from tests.rag_core.app.served import Served, open_served

LOADED = re.compile(r'(?:src|href)="([^"#]+)"|from "\./([^"]+)"')
MOST_BYTES = 100_000
"""Of all that the page loads, headers apart."""


@pytest.fixture
async def stranger(served: Served) -> httpx.AsyncClient:
    """Nobody: without a credential."""
    client = served.client
    client.headers.clear()
    return client


async def loaded(client: httpx.AsyncClient) -> dict[str, httpx.Response]:
    """The page and, from there, every file that one of its files loads."""
    found: dict[str, httpx.Response] = {}
    wanted = ["/"]
    while wanted:
        path = wanted.pop()
        found[path] = await client.get(path)
        for direct, sibling in LOADED.findall(found[path].text):
            url = f"/{direct}" if direct else f"/page/{sibling}"
            if url not in found:
                wanted.append(url)
    return found


async def test_every_file_comes_without_a_credential_and_is_small(
    stranger: httpx.AsyncClient,
) -> None:
    files = await loaded(stranger)
    assert len(files) > 4
    assert {each.status_code for each in files.values()} == {200}
    assert sum(len(each.content) for each in files.values()) <= MOST_BYTES
    for name in files.keys() - {"/"}:
        assert f'"{name.removeprefix("/page/")}"'.encode() in contract(), "the contract names it"


async def test_the_policy_allows_the_pages_own_files_and_nothing_else(
    stranger: httpx.AsyncClient,
) -> None:
    for reply in (await loaded(stranger)).values():
        policy = reply.headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert {"frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} <= set(policy)
        assert "require-trusted-types-for 'script'" in policy
        assert not {"unsafe-inline", "unsafe-eval", "http:", "*"} & set(
            re.findall(r"[\w:*-]+", str(policy))
        )
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["referrer-policy"] == "no-referrer"


async def test_whoever_has_a_file_is_told_so(stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/page/style.css")
    again = await stranger.get("/page/style.css", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    assert again.content == b""


async def test_what_is_no_file_of_the_page_is_not_served(served: Served) -> None:
    for path in ("/page/nothing.js", "/page/..%2fopenapi.json", "/page/", "/page/application.py"):
        assert (await served.client.get(path)).status_code == 404


async def test_without_the_page_there_is_none(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    without = settings.model_copy(update={"page": False})
    async with open_served(without, user, tokenizer) as served:
        assert (await served.client.get("/")).status_code == 404
        served.client.headers.clear()
        assert (await served.client.get("/page/app.js")).status_code == 401
