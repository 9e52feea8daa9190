"""POST /assistant/query: JSON and server-sent events."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest

from rag_core.domain import Tokenizer, UserId
from rag_core.errors import ProviderUnavailable, RagError
from rag_core.events import Answered, RequestServed, RequestStarted
from tests.rag_core.app.served import EVENTS, Served, open_served
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for


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
        *("flags", "notice", "timings_ms", "digest"),
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


async def test_the_requests_own_id_and_trace_come_back(served: Served) -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    response = await served.ask(QUESTION, **{"x-request-id": "abc-1", "traceparent": trace})
    assert response.headers["x-request-id"] == "abc-1"
    assert response.headers["traceparent"] == trace


@pytest.mark.parametrize("given", ["", "two words", "x" * 65, "a\tb", "-dash", "é"])
async def test_an_id_that_cannot_be_used_is_replaced(served: Served, given: str) -> None:
    response = await served.client.get("/health/live", headers={b"x-request-id": given.encode()})
    assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    "given", ["nonsense", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "ff-" + "a" * 32 + "-b-01"]
)
async def test_a_trace_that_is_none_is_dropped(served: Served, given: str) -> None:
    response = await served.client.get("/health/live", headers={"traceparent": given})
    assert "traceparent" not in response.headers


async def test_each_request_is_told_of_once_when_it_begins_and_when_it_ends(served: Served) -> None:
    await served.ask(QUESTION)
    await served.ask("")
    assert [event.route for event in served.told(RequestStarted)] == ["/assistant/query"] * 2
    first, second = served.told(RequestServed)
    assert (first.method, first.status, first.error) == ("POST", 200, "")
    assert (second.status, second.error) == (422, "invalid_input")
    assert len(served.told(Answered)) == 1


async def test_without_a_user_nothing_is_answered(served: Served) -> None:
    response = await served.ask(QUESTION, **{"x-test-user": ""})
    assert response.status_code == 401
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["www-authenticate"] == 'Bearer realm="rag_core"'
    assert response.json()["code"] == "unauthenticated"


async def test_nobody_is_answered_from_the_notes_of_others(
    served: Served, other_user: UserId
) -> None:
    response = await served.ask(QUESTION, **{"x-test-user": other_user})
    assert (response.status_code, response.json()["provenance"]) == (200, "NO_CONTEXT")


async def test_who_says_in_the_body_who_asks_is_refused(served: Served) -> None:
    body = {"question": QUESTION, "user": "somebody else"}
    response = await served.client.post("/assistant/query", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "invalid_input")


async def test_what_fails_before_the_first_token_is_a_problem_with_a_status(served: Served) -> None:
    response = await served.ask("", **EVENTS)
    assert response.status_code == 422
    assert response.json()["field"] == "question"


async def test_what_fails_after_it_is_an_event_and_the_last_one(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """Not a provider's failure: that ends in a marker, and is an answer."""
    held = HeldGenerator()
    async with open_served(settings_for(database_url), user, tokenizer, generator=held) as served:
        await served.put(note("grace"))
        asking = asyncio.create_task(served.ask(QUESTION, **EVENTS))
        await held.asked()
        held.say(*(f"Word{number} is a word of many. " for number in range(20)))
        held.fail(RagError("secret"))
        response = await asking
        *tokens, (last, problem) = events_of(response)
        assert (response.status_code, {name for name, _ in tokens}) == (200, {"token"})
        assert last == "error"
        assert (problem["status"], problem["code"]) == (500, "internal")
        assert "secret" not in response.text
        assert served.told(RequestServed)[-1].error == "internal"


async def test_where_streaming_is_off_every_answer_comes_whole(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, streaming=False)
    async with open_served(settings, user, tokenizer) as served:
        await served.put(note("grace"))
        response = await served.ask(QUESTION, **EVENTS)
        assert response.headers["content-type"] == "application/json"
        assert response.json()["text"] == ANSWER


async def test_a_provider_that_is_away_and_nothing_to_quote_is_a_503_with_retry_after(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    failing = [ProviderUnavailable("host secret.internal is down", retry_after_s=7)]
    async with open_served(settings_for(database_url), user, tokenizer, failing) as served:
        await served.put(note("grace"))
        response = await served.ask(QUESTION)
        assert (response.status_code, response.headers["retry-after"]) == (503, "7")
        assert response.json()["code"] == "provider_unavailable"
        assert "secret" not in response.text
