"""POST /assistant/query: JSON and server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from rag_core.bootstrap import assemble
from rag_core.domain import Tokenizer, UserId
from rag_core.events import Answered, RequestServed
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for

EVENTS = {"accept": "text/event-stream"}


@pytest.fixture
async def served(database_url: str, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Served]:
    settings = settings_for(database_url)
    async with assemble(settings, embedder=CountingEmbedder(), tokenizer=tokenizer) as application:
        await application.ingest.run(user, [note("grace")])
    async with open_served(settings, user, tokenizer) as served:
        yield served


def events_of(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    """Name and data of each event."""
    blocks = [block.split("\n") for block in response.text.strip().split("\n\n")]
    return [(name[7:], msgspec.json.decode(data[6:])) for name, data in blocks]


async def test_an_answer_comes_with_all_that_is_needed_to_judge_it(served: Served) -> None:
    response = await served.ask(QUESTION)
    body = response.json()
    assert response.status_code == 200
    assert (body["text"], body["provenance"]) == (ANSWER, "FRESH")
    assert body["citations"][0]["note_id"] == "grace"
    assert set(body) == {
        *("text", "provenance", "citations", "usage", "cost_usd", "generator", "model"),
        *("flags", "notice", "timings_ms"),
    }
    assert "total;dur=" in response.headers["server-timing"]
    assert (await served.ask(QUESTION)).json()["provenance"] == "CACHED"


async def test_a_stream_ends_with_the_answer_cached_or_not(served: Served) -> None:
    for provenance in ("FRESH", "CACHED"):
        response = await served.ask(QUESTION, **EVENTS)
        assert response.headers["content-type"] == "text/event-stream"
        *tokens, (last, answer) = events_of(response)
        assert {name for name, _ in tokens} == {"token"}
        assert "".join(str(data["text"]) for _, data in tokens) == ANSWER
        assert (last, answer["provenance"], answer["text"]) == ("answer", provenance, ANSWER)


async def test_events_carry_the_id_that_the_request_brought(served: Served) -> None:
    response = await served.ask(QUESTION, **{"x-request-id": "abc-1"})
    assert response.headers["x-request-id"] == "abc-1"
    assert served.told(RequestServed)[-1].route == "/assistant/query"
    assert len(served.told(Answered)) == 1


async def test_without_a_user_nothing_is_answered(served: Served) -> None:
    response = await served.ask(QUESTION, **{"x-test-user": ""})
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "unauthenticated"
