"""Rate limits over HTTP: who is turned away, and what everyone is told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import OwnValkey
from rag_core.events import RateLimited, RateLimitsUnknown
from tests.rag_core.app.served import PLAN_HEADER, USER_HEADER, Served, open_served
from tests.rag_core.scene import QUESTION, settings_for

LIMITS = {"rate_limits": ("2/minute", "5/hour"), "rate_limits_all": ("6/hour",)}

Open = Callable[..., AbstractAsyncContextManager[Served]]


@pytest.fixture
def opened(database_url: str, user: UserId, tokenizer: Tokenizer) -> Open:
    @asynccontextmanager
    async def served(**settings: Any) -> AsyncIterator[Served]:
        given = settings_for(database_url, **LIMITS | settings)
        async with open_served(given, user, tokenizer) as served:
            yield served

    return served


async def statuses(served: Served, times: int, **headers: str) -> list[int]:
    return [(await served.ask(QUESTION, **headers)).status_code for _ in range(times)]


async def test_every_answer_says_where_its_user_stands(opened: Open) -> None:
    async with opened() as served:
        first, second = await served.ask(QUESTION), await served.ask(QUESTION)
    assert first.headers["ratelimit-policy"] == (
        '"user-minute";q=2;w=60, "user-hour";q=5;w=3600, "all-hour";q=6;w=3600'
    )
    assert first.headers["ratelimit"] == '"user-minute";r=1;t=60'
    assert second.headers["ratelimit"] == '"user-minute";r=0;t=60'


async def test_one_too_many_is_a_problem_that_says_when_to_come_back(opened: Open) -> None:
    async with opened() as served:
        await statuses(served, 2)
        served.clock.advance(15)
        refused = await served.ask(QUESTION)
        problem = refused.json()
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["retry-after"] == "45"
        assert refused.headers["ratelimit"] == '"user-minute";r=0;t=45'
        assert (problem["code"], problem["retryable"], problem["retry_after_s"]) == (
            *("rate_limited", True),
            45,
        )
        assert "2/minute" in problem["detail"]
        assert served.told(RateLimited) == [RateLimited("user")]
        served.clock.advance(45.01)
        assert (await served.ask(QUESTION)).status_code == 200


async def test_a_stream_is_limited_and_says_so_too(opened: Open) -> None:
    async with opened() as served:
        streams = [await served.ask(QUESTION, accept="text/event-stream") for _ in range(3)]
    assert [each.status_code for each in streams] == [200, 200, 429]
    assert all("ratelimit" in each.headers for each in streams)


async def test_what_is_refused_before_it_is_read_counts_and_what_is_no_question_does_not(
    opened: Open,
) -> None:
    """A client that sends nonsense in a loop is turned away; looking around is free."""
    async with opened() as served:
        for _ in range(5):
            await served.client.get("/assistant/limits")
            await served.client.get("/health/live")
        nonsense = [
            (await served.client.post("/assistant/query", content=b"{")).status_code
            for _ in range(3)
        ]
    assert nonsense[-1] == 429
    assert all(400 <= status < 429 for status in nonsense[:-1])


async def test_who_is_not_known_is_not_counted(opened: Open) -> None:
    async with opened() as served:
        assert await statuses(served, 5, **{USER_HEADER: ""}) == [401] * 5
        assert await statuses(served, 2) == [200, 200]


async def test_users_share_the_limit_of_all_and_not_each_others(opened: Open) -> None:
    async with opened() as served:
        each = [await statuses(served, 3, **{USER_HEADER: f"reader-{n}"}) for n in range(4)]
        assert each == [[200, 200, 429]] * 3 + [[429] * 3]
        refused = await served.ask(QUESTION, **{USER_HEADER: "reader-3"})
    assert refused.headers["ratelimit"].startswith('"all-hour";r=0;t=3600')
    assert served.told(RateLimited)[-1] == RateLimited("all")


async def test_a_plan_and_a_named_user_have_limits_of_their_own(opened: Open, user: UserId) -> None:
    plans = {"pro": "4/minute", "reader-1": "1/day"}
    async with opened(rate_limit_plans=plans, rate_limits_all=()) as served:
        assert await statuses(served, 5, **{PLAN_HEADER: "pro"}) == [200] * 4 + [429]
        assert await statuses(served, 2, **{USER_HEADER: "reader-1", PLAN_HEADER: "pro"}) == [
            *(200, 429)
        ]


async def test_the_status_tells_where_the_caller_stands_and_counts_nothing(opened: Open) -> None:
    async with opened() as served:
        await served.ask(QUESTION)
        served.clock.advance(20)
        for _ in range(4):
            status = (await served.client.get("/assistant/limits")).json()
    assert status == {
        "plan": "",
        "limits": [
            {"limit": "2/minute", "scope": "user", "remaining": 1, "resets_in_s": 40.0},
            {"limit": "5/hour", "scope": "user", "remaining": 4, "resets_in_s": 3580.0},
            {"limit": "6/hour", "scope": "all", "remaining": 5, "resets_in_s": 3580.0},
        ],
        "budget": None,
    }


async def test_behind_a_gateway_there_are_no_limits_and_no_headers(opened: Open) -> None:
    async with opened(rate_limits=(), rate_limits_all=()) as served:
        answers = [await served.ask(QUESTION) for _ in range(15)]
        status = (await served.client.get("/assistant/limits")).json()
    assert [answer.status_code for answer in answers] == [200] * 15
    assert not any("ratelimit" in answer.headers for answer in answers)
    assert status == {"plan": "", "limits": [], "budget": None}


async def test_without_redis_everyone_is_let_in_and_the_status_says_that_nobody_knows(
    opened: Open, tmp_path: Path
) -> None:
    async with (
        OwnValkey(tmp_path / "own") as valkey,
        opened(cache="redis", redis_url=valkey.url) as served,
    ):
        await valkey.kill()
        answers: list[httpx.Response] = [await served.ask(QUESTION) for _ in range(5)]
        status = await served.client.get("/assistant/limits")
    assert [answer.status_code for answer in answers] == [200] * 5
    assert not any("ratelimit" in answer.headers for answer in answers)
    assert len(served.told(RateLimitsUnknown)) == 5
    assert (status.status_code, status.json()["code"]) == (503, "unavailable")
