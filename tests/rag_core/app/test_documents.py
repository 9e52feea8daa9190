"""Documents over HTTP: given, read by the worker in the server, and in answers from then on."""

from __future__ import annotations

from typing import Any

import pytest

from rag_core.domain import MAX_DOCUMENT_BYTES, UserId
from rag_core.settings import Settings
from tests.rag_core.app.served import USER_HEADER, Served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.scene import settings_for


@pytest.fixture
def settings(own_database: str) -> Settings:
    """A queue of the test's own: in the shared one others' documents may go before."""
    return settings_for(own_database, import_characters=5_000)


STORM = b"# On the storm\n\nThe disciples feared the storm on the lake. Jesus slept in the boat."
CALM = b"# On the storm\n\nThe lake was calm. The disciples rowed over the lake without a storm."
QUESTION = "What did the disciples see of the storm on the lake?"


async def give(served: Served, content: bytes, name: str = "storm.md") -> Any:
    reply = await served.client.post("/documents", params={"name": name}, content=content)
    assert reply.status_code == 202, reply.text
    assert reply.headers["location"] == f"/documents/{reply.json()['id']}"
    return reply.json()


async def becomes(served: Served, document_id: str, status: str = "ready") -> Any:
    """The document once its newest version is so."""
    known: dict[str, Any] = {}

    async def is_so() -> bool:
        known.update((await served.client.get(f"/documents/{document_id}")).json())
        return bool(known["status"] == status)

    await eventually(is_so)
    return known


async def ready(served: Served, content: bytes = STORM, name: str = "storm.md") -> Any:
    return await becomes(served, (await give(served, content, name))["id"])


async def quoted(served: Served) -> dict[str, str]:
    """What is quoted for the question, by note."""
    answer = (await served.ask(QUESTION)).json()
    return {each["note_id"]: each["quote"] for each in answer["citations"]}


async def test_what_is_uploaded_is_in_answers_once_it_is_ready_and_its_next_version_in_its_place(
    served: Served,
) -> None:
    given = await give(served, STORM)
    assert (given["status"], given["version"], given["live_version"]) == ("queued", 1, None)
    known = await becomes(served, given["id"])
    assert (known["title"], known["type"], known["live_version"]) == ("On the storm", "text", 1)
    assert "slept in the boat" in (await quoted(served))[given["id"]]
    again = await served.client.put(
        f"/documents/{given['id']}", files={"file": ("storm-2.md", CALM)}
    )
    assert (again.status_code, again.json()["version"], again.json()["path"]) == (
        *(202, 2, "storm-2.md"),
    )
    assert again.json()["live_version"] == 1
    await becomes(served, given["id"])
    quote = (await quoted(served))[given["id"]]
    assert "without a storm" in quote
    assert "slept" not in quote


async def test_the_same_file_once_more_is_no_new_document_and_no_new_version(
    served: Served,
) -> None:
    known = await ready(served)
    posted = await served.client.post("/documents", files={"file": ("other name.md", STORM)})
    assert (posted.status_code, posted.json()["id"]) == (200, known["id"])
    put = await served.client.put(f"/documents/{known['id']}?name=x.md", content=STORM)
    assert (put.status_code, put.json()["version"]) == (200, 1)


async def test_an_older_version_is_restored_without_its_file(served: Served) -> None:
    known = await ready(served)
    path = f"/documents/{known['id']}"
    await served.client.put(path, params={"name": "calm.md"}, content=CALM)
    await becomes(served, known["id"])
    restored = await served.client.post(f"{path}/restore", json={"version": 1})
    assert (restored.status_code, restored.json()["version"]) == (202, 3)
    await becomes(served, known["id"])
    assert "slept in the boat" in (await quoted(served))[known["id"]]
    listed = (await served.client.get(f"{path}/versions")).json()["versions"]
    assert [(each["version"], each["restored_from"]) for each in listed] == [
        *((3, 1), (2, None), (1, None)),
    ]
    assert (await served.client.post(f"{path}/restore", json={"version": 9})).status_code == 404


async def test_a_deleted_document_is_in_no_answer_until_it_is_restored(served: Served) -> None:
    known = await ready(served)
    path = f"/documents/{known['id']}"
    assert (await served.client.delete(path)).status_code == 204
    assert known["id"] not in await quoted(served)
    assert (await served.client.delete(path)).status_code == 404
    assert (await served.client.put(path, files={"file": ("x", b"y")})).status_code == 404
    assert (await served.client.get("/documents")).json()["documents"] == []
    (gone,) = (await served.client.get("/documents?deleted=true")).json()["documents"]
    assert gone["id"] == known["id"]
    assert (await served.client.post(f"{path}/restore", json={})).status_code == 202
    await becomes(served, known["id"])
    assert known["id"] in await quoted(served)


async def test_tags_of_ones_own_reach_the_note_and_stay_in_later_versions(served: Served) -> None:
    known = await ready(served, b"---\ntags: [lake]\n---\n" + STORM)
    assert known["tags"] == ["lake"]
    path = f"/documents/{known['id']}"
    tagged = await served.client.put(f"{path}/tags", json={"tags": ["fear", " fear ", "sea"]})
    assert tagged.json()["tags"] == ["fear", "sea"]
    await becomes(served, known["id"])
    assert (await served.client.get(f"/notes/{known['id']}")).json()["tags"] == ["fear", "sea"]
    await served.client.put(path, files={"file": ("calm.md", CALM)})
    assert (await becomes(served, known["id"]))["tags"] == ["fear", "sea"]
    refused = await served.client.put(f"{path}/tags", json={"tags": ["x" * 101]})
    assert (refused.status_code, refused.json()["field"]) == (422, "tags")


async def test_documents_are_found_by_tag_author_and_date_page_by_page(served: Served) -> None:
    heads = [("ann", "2024-01-05", "a"), ("ben", "2024-02-05", "b"), ("ann", "2024-03-05", "b")]
    ids = []
    for number, (author, day, tag) in enumerate(heads):
        head = f"---\nauthor: {author}\ndate: {day}\ntags: [{tag}]\n---\nText {number}."
        ids.append((await ready(served, head.encode(), f"{number}.md"))["id"])

    async def listed(query: str) -> list[int]:
        page = (await served.client.get(f"/documents?{query}")).json()
        return [ids.index(each["id"]) for each in page["documents"]]

    assert await listed("author=ANN") == [0, 2]
    assert await listed("tag=b") == [1, 2]
    assert await listed("from=2024-02-01&to=2024-02-28") == [1]
    assert await listed("author=ann&tag=b") == [2]
    first = (await served.client.get("/documents?limit=2")).json()
    assert await listed(f"limit=2&after={first['next']}") == [2]
    assert (await served.client.get("/documents?from=monday")).status_code == 422


async def test_a_file_that_cannot_be_read_says_why_and_the_version_before_it_stays(
    served: Served,
) -> None:
    known = await ready(served)
    path = f"/documents/{known['id']}"
    await served.client.put(path, files={"file": ("bad.pdf", b"%PDF-1.7 nothing more")})
    failed = await becomes(served, known["id"], "failed")
    assert (failed["code"], failed["retryable"], failed["live_version"]) == (
        *("invalid_input", False, 1),
    )
    assert "broken" in failed["detail"]
    assert known["id"] in await quoted(served)


async def test_anothers_document_is_not_there(served: Served, other_user: UserId) -> None:
    known = await ready(served)
    path, other = f"/documents/{known['id']}", {USER_HEADER: other_user}
    replies = [
        await served.client.get(path, headers=other),
        await served.client.get(f"{path}/versions", headers=other),
        await served.client.put(path, headers=other, files={"file": ("x", b"y")}),
        await served.client.put(f"{path}/tags", headers=other, json={"tags": []}),
        await served.client.post(f"{path}/restore", headers=other, json={}),
        await served.client.delete(path, headers=other),
    ]
    assert {reply.status_code for reply in replies} == {404}
    assert (await served.client.get("/documents", headers=other)).json()["documents"] == []
    mine = await served.client.post("/documents?name=x", headers=other, content=STORM)
    assert (mine.status_code, mine.json()["id"] != known["id"]) == (202, True)


@pytest.mark.parametrize(
    ("query", "body", "status", "field"),
    [
        ("", b"text", 422, "name"),
        ("?name=x", b"", 422, "file"),
        ("?name=x%00y", b"text", 422, "name"),
        ("?name=x", b"x" * (MAX_DOCUMENT_BYTES + 1), 422, "file"),
        ("?name=x", b"x" * (MAX_DOCUMENT_BYTES + 70_000), 413, ""),
    ],
)
async def test_what_is_no_upload_is_refused(
    served: Served, query: str, body: bytes, status: int, field: str
) -> None:
    reply = await served.client.post(f"/documents{query}", content=body)
    assert (reply.status_code, reply.json().get("field", "")) == (status, field)


async def test_the_note_of_a_document_is_changed_by_its_document_alone(served: Served) -> None:
    document = await ready(served)
    note = {"title": "Other", "body": "Written behind the back of the file."}
    path = f"/notes/{document['id']}"
    for reply in (await served.client.put(path, json=note), await served.client.delete(path)):
        assert reply.status_code == 422
        assert reply.json()["field"] == "id"
        assert f"/documents/{document['id']}" in reply.json()["fix"]
    assert "Jesus slept" in (await served.client.get(path)).json()["body"]
    assert (await served.client.put("/notes/doc-1", json=note)).status_code == 201
    assert (await served.client.delete(f"/documents/{document['id']}")).status_code == 204
    assert (await served.client.put(path, json=note)).status_code == 201, "it is free then"
