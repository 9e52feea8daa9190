from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from starlette.responses import Response

from evals.measures.judge import MAX_TOKENS, Judge, JudgeFailed
from evals.measures.judge_cache import BudgetSpent, JudgeBudget, JudgeCache
from rag_core.domain import Prices, Usage
from tests.evals.measures.judge_server import JudgeServer, judge_server, says


@pytest.fixture
async def server() -> AsyncIterator[JudgeServer]:
    async with judge_server() as running:
        yield running


@pytest.fixture
async def ask(server: JudgeServer, tmp_path: Path) -> AsyncIterator[Callable[..., Judge]]:
    made: list[Judge] = []

    def judge(max_usd: float = 10.0, model: str = "m", max_retries: int = 0) -> Judge:
        made.append(
            Judge(
                base_url=server.base_url,
                model=model,
                cache=JudgeCache(tmp_path),
                budget=JudgeBudget(max_usd, Prices(0.001, 0.001)),
                max_retries=max_retries,
            )
        )
        return made[-1]

    yield judge
    for each in made:
        await each.close()


def number(text: str) -> int:
    value = json.loads(text).get("n")
    if not isinstance(value, int):
        raise ValueError("n is missing")
    return value


async def test_a_reply_is_understood_paid_for_and_never_asked_for_again(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    server.reply = lambda prompt: says('Sure!\n```json\n{"n": 4}\n```')
    first, second = ask(), ask()
    assert await first.ask("p", number) == 4
    assert first.budget.spent_usd == pytest.approx(0.11)
    assert await second.ask("p", number) == 4
    assert (second.budget.spent_usd, server.prompts) == (0.0, ["p"])


async def test_another_model_or_prompt_is_asked(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    server.reply = lambda prompt: says('{"n": 1}')
    await ask().ask("p", number)
    await ask().ask("q", number)
    await ask(model="other").ask("p", number)
    assert server.prompts == ["p", "q", "p"]


async def test_a_spent_budget_stops_calls_but_not_what_is_cached(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    server.reply = lambda prompt: says('{"n": 2}')
    await ask().ask("p", number)
    poor = ask(max_usd=0.0)
    assert await poor.ask("p", number) == 2
    with pytest.raises(BudgetSpent, match=r"judge budget of \$0 spent"):
        await poor.ask("new", number)
    assert server.prompts == ["p"]


async def test_a_server_that_does_not_count_is_booked_at_the_most_it_can_have_used(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    server.reply = lambda prompt: says('{"n": 2}', usage=False)
    judge = ask()
    await judge.ask("p", number)
    assert judge.budget.spent_usd >= MAX_TOKENS * 0.001


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (lambda: Response("boom", 500), "server failed: "),
        (lambda: Response('{"error": "no key"}', 401), "server failed: Error code: 401"),
        (lambda: Response("<html>", 200), "no reply|server failed"),
        (
            lambda: Response("{not json", 200, media_type="application/json"),
            "no reply|server failed",
        ),
        (lambda: Response('{"choices": []}', 200, media_type="application/json"), "no reply"),
        (lambda: says(""), "no reply"),
        (lambda: says("I would say yes."), "cannot be understood: no JSON object"),
        (lambda: says('{"n": "many"}'), "cannot be understood: n is missing"),
        (lambda: says('{"n": 4'), "cannot be understood"),
    ],
)
async def test_garbage_and_errors_fail_with_the_reason_and_are_not_kept(
    server: JudgeServer, ask: Callable[..., Judge], response: Callable[[], Response], why: str
) -> None:
    server.reply = lambda prompt: response()
    judge = ask()
    with pytest.raises(JudgeFailed, match=why):
        await judge.ask("p", number)
    server.reply = lambda prompt: says('{"n": 3}')
    assert await judge.ask("p", number) == 3


async def test_a_server_that_cannot_be_reached_costs_nothing(tmp_path: Path) -> None:
    budget = JudgeBudget(10.0, Prices(0.001, 0.001))
    judge = Judge(
        base_url="http://127.0.0.1:9/v1",
        model="m",
        cache=JudgeCache(tmp_path),
        budget=budget,
        max_retries=0,
    )
    with pytest.raises(JudgeFailed, match="server failed: Connection error"):
        await judge.ask("p", number)
    assert (budget.spent_usd, budget.reserve(Usage(9000, 0))) == (0.0, 9.0)
    await judge.close()


async def test_a_reply_that_cannot_be_used_is_paid_for(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    for said in ("I would say yes.", ""):
        server.reply = lambda prompt, said=said: says(said)  # type: ignore[misc]
        judge = ask()
        with pytest.raises(JudgeFailed):
            await judge.ask("p", number)
        assert judge.budget.spent_usd == pytest.approx(0.11)


@pytest.mark.parametrize(("status", "billed"), [(500, True), (401, False), (400, False)])
async def test_a_call_that_failed_on_the_server_may_be_billed_and_a_refused_one_is_not(
    server: JudgeServer, ask: Callable[..., Judge], status: int, billed: bool
) -> None:
    server.reply = lambda prompt: Response("{}", status)
    judge = ask()
    with pytest.raises(JudgeFailed):
        await judge.ask("p", number)
    assert (judge.budget.spent_usd >= MAX_TOKENS * 0.001) is billed


async def test_a_retried_call_is_paid_for_as_well(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    replies = iter([Response("boom", 500, {"retry-after-ms": "1"}), says('{"n": 5}')])
    server.reply = lambda prompt: next(replies)
    judge = ask(max_retries=1)
    assert await judge.ask("p", number) == 5
    assert len(server.prompts) == 2
    assert judge.budget.spent_usd > MAX_TOKENS * 0.001 + 0.11


async def test_another_repeat_asks_once_more_and_each_is_kept(
    server: JudgeServer, ask: Callable[..., Judge]
) -> None:
    replies = iter([says('{"n": 1}'), says('{"n": 2}')])
    server.reply = lambda prompt: next(replies)
    judge = ask()
    for _ in range(2):
        assert [await judge.ask("p", number, repeat=turn) for turn in range(2)] == [1, 2]
    assert len(server.prompts) == 2
