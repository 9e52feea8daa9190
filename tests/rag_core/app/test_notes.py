"""Notes over HTTP: written over what was seen, and read by their user alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rag_core.domain import UserId
from tests.rag_core.app.served import Served
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION

FULL: dict[str, Any] = {
    "title": "On grace",
    "body": "Grüße — “gnade” 恵み. Grace is unearned.",
    "author": "Ruth",
    "date": "2026-05-03",
    "tags": ["a, b", "{c}"],
    "verses": [["1 Cor", 13, 1, 13]],
}
ODD_IDS = ["a/b", "ä ö", "%2F", "..x", "sermon?1", "#1", "a+b&c=d", "\N{PERSON WITH FOLDED HANDS}"]


async def test_what_is_written_is_read_under_its_version(served: Served) -> None:
    written = await served.client.put("/notes/full", json=FULL)
    assert (written.status_code, written.headers["location"]) == (201, "/notes/full")
    read = await served.client.get("/notes/full")
    assert read.json() == {"id": "full", "version": written.json()["version"], **FULL}
    assert read.headers["etag"] == written.headers["etag"] == f'"{read.json()["version"]}"'


async def test_the_next_answer_rests_on_it(served: Served) -> None:
    first = (await served.ask(QUESTION)).json()
    await served.put(note("grace", "Paul calls grace a gift that nobody can buy, ever."))
    second = (await served.ask(QUESTION)).json()
    assert (first["provenance"], second["provenance"]) == ("FRESH", "FRESH")
    assert "ever" in second["citations"][0]["quote"]
    await served.client.delete("/notes/grace")
    assert (await served.ask(QUESTION)).json()["provenance"] == "NO_CONTEXT"


async def test_the_same_once_more_changes_nothing(served: Served) -> None:
    await served.ask(QUESTION)
    again = await served.put(note("grace"))
    assert again.status_code == 200
    assert (await served.ask(QUESTION)).json()["provenance"] == "CACHED"


async def test_a_reader_who_has_it_is_told_so(served: Served) -> None:
    tag = (await served.client.get("/notes/grace")).headers["etag"]
    for known in (tag, f'"x", W/{tag}', "*"):
        read = await served.client.get("/notes/grace", headers={"if-none-match": known})
        assert (read.status_code, read.content, read.headers["etag"]) == (304, b"", tag)
    assert (
        await served.client.get("/notes/grace", headers={"if-none-match": '"x"'})
    ).status_code == 200


async def test_of_two_who_saw_the_same_version_one_is_told_of_the_other(served: Served) -> None:
    seen = {"if-match": (await served.client.get("/notes/grace")).headers["etag"]}
    texts = ["The first of two texts.", "The second of two texts."]
    replies = await asyncio.gather(*(served.put(note("grace", text), **seen) for text in texts))
    assert sorted(reply.status_code for reply in replies) == [200, 412]
    (kept,) = [text for text, reply in zip(texts, replies, strict=True) if reply.is_success]
    assert (await served.client.get("/notes/grace")).json()["body"] == kept


@pytest.mark.parametrize(
    ("note_id", "headers", "status"),
    [
        ("grace", {"if-none-match": "*"}, 412),
        ("new", {"if-none-match": "*"}, 201),
        ("grace", {"if-match": "*"}, 200),
        ("new", {"if-match": "*"}, 412),
        ("new", {"if-match": '"x"'}, 412),
        ("grace", {"if-match": '"x", "y"'}, 412),
        ("grace", {"if-match": f'"x", "{note("grace").version}"'}, 200),
        ("grace", {"if-match": f'W/"{note("grace").version}"'}, 412),
        ("grace", {"if-match": "*", "if-none-match": "*"}, 412),
        ("grace", {"if-match": "no tag"}, 422),
        ("grace", {"if-match": ""}, 422),
        ("grace", {"if-none-match": '"x"'}, 422),
    ],
)
async def test_a_change_is_held_to_its_conditions(
    served: Served, note_id: str, headers: dict[str, str], status: int
) -> None:
    reply = await served.client.put(
        f"/notes/{note_id}", json={"title": "", "body": "Another text."}, headers=headers
    )
    assert reply.status_code == status


async def test_a_note_is_deleted_once_and_in_the_version_that_was_seen(served: Served) -> None:
    seen = {"if-match": (await served.client.get("/notes/grace")).headers["etag"]}
    assert (
        await served.client.delete("/notes/grace", headers={"if-match": '"x"'})
    ).status_code == 412
    assert (await served.client.delete("/notes/grace", headers=seen)).status_code == 204
    assert (await served.client.delete("/notes/grace")).status_code == 404
    assert (await served.client.delete("/notes/grace", headers=seen)).status_code == 412
    assert (await served.client.get("/notes/grace")).status_code == 404


async def test_nobody_reads_lists_changes_or_deletes_the_notes_of_others(
    served: Served, other_user: UserId
) -> None:
    other = {"x-test-user": other_user}
    client = served.client
    assert (await client.get("/notes/grace", headers=other)).status_code == 404
    assert (await client.delete("/notes/grace", headers=other)).status_code == 404
    assert (await client.get("/notes", headers=other)).json()["notes"] == []
    assert (await served.put(note("grace", "Theirs."), **other)).status_code == 201
    assert (await client.get("/notes/grace")).json()["body"] == note("grace").body


async def test_pages_are_listed_to_their_end(served: Served) -> None:
    for number in range(5):
        await served.put(note("grace"), **{})
        await served.client.put(f"/notes/n{number}", json=FULL)
    found: list[str] = []
    after = ""
    while after is not None:
        page = (await served.client.get("/notes", params={"limit": 2, "after": after})).json()
        found += [head["id"] for head in page["notes"]]
        after = page["next"]
    assert found == ["grace", "n0", "n1", "n2", "n3", "n4"]


@pytest.mark.parametrize(
    "params", [{"limit": "0"}, {"limit": "201"}, {"limit": "x"}, {"after": "\x00"}]
)
async def test_a_page_that_cannot_be_is_refused(served: Served, params: dict[str, str]) -> None:
    reply = await served.client.get("/notes", params=params)
    assert (reply.status_code, reply.json()["field"]) == (422, next(iter(params)))


@pytest.mark.parametrize("note_id", ODD_IDS)
async def test_an_id_may_hold_nearly_anything(served: Served, note_id: str) -> None:
    from urllib.parse import quote

    path = f"/notes/{quote(note_id, safe='')}"
    written = await served.client.put(path, json=FULL)
    assert (written.status_code, written.json()["id"]) == (201, note_id)
    assert (await served.client.get(written.headers["location"])).json()["id"] == note_id
    assert (await served.client.delete(path)).status_code == 204


@pytest.mark.parametrize("path", ["/notes/%00", "/notes/%FF", "/notes/", "/notes/" + "x" * 201])
async def test_an_id_that_no_note_can_have_is_not_found(served: Served, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        reply = await served.client.request(method, path, json=FULL)
        assert (reply.status_code, reply.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("body", " "),
        ("title", "x" * 501),
        ("tags", ["x"] * 51),
        ("verses", [["Gen", 4, 7, 1]]),
        ("verses", [["Gen", 4, 1.5, 2]]),
        ("date", "yesterday"),
        ("title", None),
        ("body", "a\x00b"),
        ("user", "somebody else"),
        ("id", "another"),
    ],
)
async def test_what_cannot_be_stored_is_named(served: Served, field: str, value: object) -> None:
    reply = await served.client.put("/notes/full", json={**FULL, field: value})
    assert (reply.status_code, reply.json()["code"]) == (422, "invalid_input")
    assert field in reply.json()["field"] + reply.json()["detail"]
