"""Shedding over HTTP: no more questions at once than there are places for."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.bootstrap import assemble
from rag_core.domain import Tokenizer, UserId
from rag_core.events import RequestShed
from tests.rag_core.app.served import open_served
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for


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
        assert (await served.ask(QUESTION)).status_code == 503
        held.end()
        assert b"event: answer" in await stream.aread()
        await stream.aclose()
        assert (await served.ask(QUESTION)).status_code == 200


async def test_without_a_limit_nobody_is_shed(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, concurrent_queries=0)
    async with open_served(settings, user, tokenizer) as served:
        asked = await asyncio.gather(*(served.ask(QUESTION) for _ in range(50)))
    assert {each.status_code for each in asked} == {200}
