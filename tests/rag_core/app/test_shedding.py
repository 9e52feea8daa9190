"""Shedding over HTTP: no more questions at once than there are places for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from rag_core.bootstrap import assemble
from rag_core.domain import Tokenizer, UserId
from rag_core.events import RequestShed
from tests.rag_core.app.served import open_served
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for

if TYPE_CHECKING:
    from rag_core.domain import Matrix


@pytest.fixture
async def reader(database_url: str, user: UserId, tokenizer: Tokenizer) -> UserId:
    """Who has a note that answers the question."""
    settings = settings_for(database_url)
    async with assemble(settings, embedder=CountingEmbedder(), tokenizer=tokenizer) as application:
        await application.ingest.run(user, [note("grace")])
    return user


async def test_whoever_finds_no_place_is_told_to_come_back_and_the_others_are_answered(
    database_url: str, reader: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    settings = settings_for(database_url, concurrent_queries=2)
    async with open_served(settings, reader, tokenizer, generator=held) as served:
        asking = [asyncio.create_task(served.ask(f"{QUESTION} {n}")) for n in range(2)]
        await held.asked(2)
        shed = await served.ask(QUESTION)
        assert (shed.status_code, shed.json()["code"]) == (503, "overloaded")
        assert shed.headers["retry-after"] == "1"
        assert served.told(RequestShed) == [RequestShed(2)]
        assert (await served.client.get("/assistant/limits")).status_code == 200
        for call in range(2):
            held.say(ANSWER, call=call)
            held.end(call=call)
        assert [(await each).status_code for each in asking] == [200, 200]
        assert (await served.ask(f"{QUESTION} 0")).status_code == 200, "its place is free again"


async def test_what_is_cached_is_answered_while_as_many_as_may_wait_for_a_provider(
    database_url: str, reader: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    settings = settings_for(database_url, concurrent_queries=1)
    async with open_served(settings, reader, tokenizer, generator=held) as served:
        known = asyncio.create_task(served.ask(QUESTION))
        await held.asked(1)
        held.say(ANSWER)
        held.end()
        assert (await known).json()["provenance"] == "FRESH"
        waiting = asyncio.create_task(served.ask(f"{QUESTION} 1"))
        await held.asked(2)
        for _ in range(3):
            assert (await served.ask(QUESTION)).json()["provenance"] == "CACHED"
        assert (await served.ask(f"{QUESTION} 2")).status_code == 503
        held.say(ANSWER, call=1)
        held.end(call=1)
        assert (await waiting).status_code == 200


class _Watched(CountingEmbedder):
    """Knows how many questions it embedded at once."""

    at_once = most_at_once = 0

    async def embed(self, texts: Sequence[str]) -> Matrix:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        for _ in range(20):  # so that whoever may come meanwhile does
            await asyncio.sleep(0)
        self.at_once -= 1
        return await super().embed(texts)


async def test_no_more_questions_are_embedded_at_once_than_the_process_has_cores_for(
    database_url: str, reader: UserId, tokenizer: Tokenizer
) -> None:
    embedder = _Watched()
    settings = settings_for(database_url, workers=256)
    async with open_served(settings, reader, tokenizer, embedder=embedder) as served:
        asked = await asyncio.gather(*(served.ask(f"{QUESTION} {n}") for n in range(20)))
    answered = [each for each in asked if each.status_code == 200]
    assert embedder.most_at_once == 1
    assert 1 <= len(answered) == embedder.calls, "who had a turn is answered, and nobody else is"
    assert {each.status_code for each in asked} <= {200, 503}, (
        "on a busy machine some wait too long"
    )


async def test_a_stream_keeps_its_place_until_it_ends(
    database_url: str, reader: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    settings = settings_for(database_url, concurrent_queries=1)
    async with open_served(settings, reader, tokenizer, generator=held) as served:
        events = {"accept": "text/event-stream"}
        request = served.client.build_request(
            "POST", "/assistant/query", json={"question": QUESTION}, headers=events
        )
        sending = asyncio.create_task(served.client.send(request, stream=True))
        await held.asked(1)
        held.say(*[f"Grace is gift number {i}, as Paul has it [1]. " for i in range(20)])
        stream = await sending
        assert (await served.ask(f"{QUESTION} 2")).status_code == 503
        held.end()
        assert b"event: answer" in await stream.aread()
        await stream.aclose()
        again = asyncio.create_task(served.ask(f"{QUESTION} 2"))
        await held.asked(2)
        held.say(ANSWER, call=1)
        held.end(call=1)
        assert (await again).status_code == 200


async def test_without_a_limit_nobody_is_shed(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, concurrent_queries=0)
    async with open_served(settings, user, tokenizer) as served:
        asked = await asyncio.gather(*(served.ask(QUESTION) for _ in range(50)))
    assert {each.status_code for each in asked} == {200}
