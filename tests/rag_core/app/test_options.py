"""Options of a question over HTTP: who writes its answer, and how; and whose key pays for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import redis

from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.telemetry import LogListener
from rag_core.domain import Prices, Tokenizer, UserId
from rag_core.embedded import StackUrls
from rag_core.events import Answered
from rag_core.settings import Settings
from tests.rag_core.adapters.generators.conftest import (
    DONE,
    USAGE_EVENT,
    Play,
    PlayingServer,
    answer,
    event,
    playing,
)
from tests.rag_core.app.served import EVENTS, Served, open_served
from tests.rag_core.cli.test_notes import said_in_rows
from tests.rag_core.library import note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for

USED = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
CENT = Prices(0.0, 0.01 / 5)
OWN_KEY = "zq-own-key-4711-of-ruth"
"""Like no key that a mask knows by its form."""


@dataclass(frozen=True)
class Desk:
    """An application with two providers, and what they were asked."""

    served: Served
    groq: PlayingServer
    local: PlayingServer

    async def ask(
        self, options: dict[str, Any] | None = None, *, key: str = "", **headers: str
    ) -> httpx.Response:
        body = {"question": QUESTION, "options": options}
        headers |= {"x-provider-key": key} if key else {}
        return await self.served.client.post("/assistant/query", json=body, headers=headers)

    async def spent_usd(self) -> float:
        status = (await self.served.client.get("/assistant/limits")).json()
        return float(status["budget"]["spent_usd"]) + float(status["budget"]["held_usd"])


@asynccontextmanager
async def open_desk(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Desk]:
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(playing()) for _ in range(2)]
        writers = []
        for name, each in zip(("groq", "local"), servers, strict=True):
            each.plays.append(Play(body=answer(ANSWER, usage=USED)))
            generator = ChatCompletionsGenerator(
                name,
                f"{name}-model",
                tokenizer=tokenizer,
                key=f"operators-{name}",
                base_url=each.url,
                prices=CENT,
            )
            writers.append(await stack.enter_async_context(aclosing(generator)))
        served = await stack.enter_async_context(
            open_served(settings, user, tokenizer, providers=writers)
        )
        (await served.put(note("grace"))).raise_for_status()
        yield Desk(served, *servers)


@pytest.fixture
async def desk(settings: Settings, user: UserId, tokenizer: Tokenizer) -> AsyncIterator[Desk]:
    given = settings.model_copy(update={"answer_options": True, "own_provider_keys": True})
    async with open_desk(given, user, tokenizer) as desk:
        yield desk


async def test_what_may_be_chosen_is_told_without_addresses_and_keys(desk: Desk) -> None:
    told = await desk.served.client.get("/assistant/options")
    assert told.json() == {
        "allowed": True,
        "providers": [
            {"name": "groq", "model": "groq-model"},
            {"name": "local", "model": "local-model"},
        ],
        "max_temperature": 2.0,
        "min_tokens": 8,
        "max_tokens": 400,
        "own_key": True,
    }


async def test_the_chosen_provider_is_asked_and_no_other(desk: Desk) -> None:
    reply = (await desk.ask({"provider": "local", "temperature": 0.7, "max_tokens": 20})).json()
    assert (reply["provenance"], reply["generator"], reply["model"]) == (
        *("FRESH", "local"),
        "local-model",
    )
    assert desk.groq.requests == []
    (asked,) = desk.local.requests
    assert (asked["temperature"], asked["max_tokens"]) == (0.7, 20)
    assert desk.local.headers[0]["authorization"] == "Bearer operators-local"


async def test_the_chosen_provider_that_fails_is_not_replaced_by_another(desk: Desk) -> None:
    desk.local.plays[:] = [Play(500)]
    reply = (await desk.ask({"provider": "local"})).json()
    assert reply["provenance"] == "DEGRADED"
    assert desk.groq.requests == []


@pytest.mark.parametrize(
    "options",
    [{"provider": "local"}, {"temperature": 1.0}, {"max_tokens": 20}],
    ids=lambda options: next(iter(options)),
)
async def test_an_answer_by_other_options_is_never_served_for_the_usual_one_nor_the_other_way(
    desk: Desk, options: dict[str, Any]
) -> None:
    by_option, usual = await desk.ask(options), await desk.ask()
    assert [each.json()["provenance"] for each in (by_option, usual)] == ["FRESH", "FRESH"]
    again, usual_again = await desk.ask(options), await desk.ask()
    assert [each.json()["provenance"] for each in (again, usual_again)] == ["CACHED", "CACHED"]
    assert again.json()["digest"] != usual_again.json()["digest"]
    await desk.served.put(note("storm"))
    revalidated = await desk.ask(options)
    assert revalidated.json()["digest"] == again.json()["digest"]


async def test_questions_under_way_by_other_options_are_not_one(desk: Desk) -> None:
    await desk.ask({"provider": "local"})  # the day's ledger is open from here on
    replies = await asyncio.gather(desk.ask(), desk.ask({"temperature": 1.5}))
    assert [each.json()["provenance"] for each in replies] == ["FRESH", "FRESH"]
    assert sorted(each["temperature"] for each in desk.groq.requests) == [0.0, 1.5]


async def test_a_stream_and_a_conversation_take_options_too(desk: Desk) -> None:
    pieces = event("Grace is a gift [1].") + event(None, "stop") + USAGE_EVENT + DONE
    desk.local.plays[:] = [Play(headers={"Content-Type": "text/event-stream"}, body=pieces)]
    streamed = await desk.ask({"provider": "local", "temperature": 0.3}, **EVENTS)
    assert '"generator":"local"' in streamed.text
    session = (await desk.served.client.post("/sessions")).json()["id"]
    body = {"question": QUESTION, "session": session, "options": {"max_tokens": 9}}
    await desk.served.client.post("/assistant/query", json=body)
    assert desk.groq.requests[-1]["max_tokens"] == 9


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"provider": "openai"}, "options.provider"),
        ({"temperature": 2.1}, "options.temperature"),
        ({"temperature": -0.1}, "options.temperature"),
        ({"max_tokens": 7}, "options.max_tokens"),
        ({"max_tokens": 401}, "options.max_tokens"),
        ({"temperature": "hot"}, "options.temperature"),
        ({"top_p": 1}, "options"),
    ],
)
async def test_what_cannot_be_chosen_is_refused_by_its_name(
    desk: Desk, options: dict[str, Any], field: str
) -> None:
    refused = await desk.ask(options)
    problem = refused.json()
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert problem["field"] == field
    assert problem["fix"]
    assert desk.groq.requests == []


async def test_options_are_refused_where_the_operator_does_not_take_them(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_desk(settings, user, tokenizer) as desk:
        for refused in (await desk.ask({"temperature": 1.0}), await desk.ask(key=OWN_KEY)):
            assert refused.status_code == 422
            assert "RAG_ANSWER_OPTIONS" in refused.json()["fix"]
        told = (await desk.served.client.get("/assistant/options")).json()
        assert (told["allowed"], told["providers"], told["own_key"]) == (False, [], False)
        assert (await desk.ask({})).status_code == 200
        assert (await desk.ask()).status_code == 200


async def test_a_key_of_ones_own_pays_for_its_answer_alone(desk: Desk) -> None:
    own = await desk.ask({"provider": "local"}, key=OWN_KEY)
    assert (own.json()["provenance"], own.json()["cost_usd"]) == ("FRESH", 0.0)
    assert await desk.spent_usd() == 0
    usual = await desk.ask({"provider": "local"})
    assert usual.json()["provenance"] == "FRESH", "it is not shared with what the operator pays"
    assert usual.json()["cost_usd"] == pytest.approx(0.01)
    assert [each["authorization"] for each in desk.local.headers] == [
        f"Bearer {OWN_KEY}",
        "Bearer operators-local",
    ]


async def test_a_key_goes_to_the_provider_that_is_named_and_nowhere_else(desk: Desk) -> None:
    refused = await desk.ask(key=OWN_KEY)
    assert (refused.status_code, refused.json()["field"]) == (422, "options.provider")
    assert desk.groq.requests == desk.local.requests == []
    nonsense = await desk.ask({"provider": "local"}, key="has spaces in it")
    assert nonsense.json()["field"] == "X-Provider-Key"


async def test_a_key_that_does_not_hold_is_its_owners_trouble_and_nobody_elses(
    desk: Desk,
) -> None:
    """The provider's guard and the user who asks by the operator's key hear nothing of it."""
    desk.local.plays[:] = [Play(401, body=f'{{"error": "bad key {OWN_KEY}"}}'.encode())]
    for _ in range(6):  # a breaker opens after five failures
        refused = await desk.ask({"provider": "local"}, key=OWN_KEY)
        assert (refused.status_code, refused.json()["field"]) == (422, "X-Provider-Key")
        assert OWN_KEY not in refused.text
    desk.local.plays[:] = [Play(body=answer(ANSWER, usage=USED))]
    assert (await desk.ask({"provider": "local"})).json()["provenance"] == "FRESH"


async def test_a_key_is_kept_nowhere_and_told_to_nobody(
    database_url: str,
    stack: StackUrls,
    user: UserId,
    tokenizer: Tokenizer,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not in Redis, Postgres, a log line at its most talkative, an event or a body."""
    given = settings_for(
        database_url,
        cache="redis",
        redis_url=stack.redis_url,
        answer_options=True,
        own_provider_keys=True,
        import_characters=5_000,
        ingest_worker=False,
    )
    async with open_desk(given, user, tokenizer) as desk:
        good = await desk.ask({"provider": "local"}, key=OWN_KEY)
        desk.local.plays[:] = [Play(418, body=f"no tea for {OWN_KEY}".encode())]
        bad = await desk.ask({"provider": "local", "temperature": 1.0}, key=OWN_KEY)
        metrics = await desk.served.client.get("/metrics")
        log = LogListener("debug")
        for each in desk.served.events:
            log(each)
        assert desk.served.told(Answered), "there is something to look at"
        events = repr(desk.served.events)
    assert (good.status_code, bad.status_code) == (200, 502)
    out, err = capfd.readouterr()
    for text in (good.text, bad.text, metrics.text, events, out, err):
        assert OWN_KEY not in text
    rows = said_in_rows(database_url, user)
    assert user in rows, "there is something to look at"
    assert OWN_KEY not in rows
    kept = said_in_redis(stack.redis_url, user)
    assert b"local" in kept, "the answer is there"
    assert OWN_KEY.encode() not in kept


def said_in_redis(url: str, user: UserId) -> bytes:
    """Names and values of all keys that have the user's id in their name."""
    found: list[bytes] = []
    with redis.Redis.from_url(url) as client:
        for name in client.scan_iter(f"*{user}*", count=1_000):
            kind = client.type(name)
            read = {
                b"string": lambda name: [client.get(name)],
                b"hash": lambda name: [
                    each for pair in client.hgetall(name).items() for each in pair
                ],
                b"list": lambda name: client.lrange(name, 0, -1),
                b"zset": lambda name: client.zrange(name, 0, -1),
                b"set": lambda name: client.smembers(name),
            }[kind]
            found += [name, *(read(name))]
    return b" ".join(found)
