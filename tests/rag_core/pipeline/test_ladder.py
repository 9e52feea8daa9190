"""The ladder: what a reader gets where no provider can answer, and that none of it is kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from rag_core.adapters.generators import Interrupted, ScriptedGenerator, ScriptItem
from rag_core.bootstrap import Application, assemble
from rag_core.clock import ManualClock
from rag_core.domain import (
    FREE,
    Answer,
    Completion,
    Flag,
    Prompt,
    Provenance,
    Tokenizer,
    UserId,
)
from rag_core.errors import BudgetExhausted, ProviderRejected, ProviderTimeout, ProviderUnavailable
from rag_core.events import Answered, BreakerChanged, Event
from rag_core.guard import seconds_left
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for

DOWN = ProviderUnavailable("the provider is down")
DAY_S = 86_400


@dataclass
class Scene:
    """An application before two scripted providers."""

    application: Application
    providers: list[ScriptedGenerator]
    clock: ManualClock
    events: list[Event]
    user: UserId

    async def ask(self, question: str = QUESTION) -> Answer:
        return await self.application.pipeline.answer(question, self.user)

    async def stream(self) -> tuple[list[str], Answer]:
        items = [item async for item in self.application.pipeline.stream(QUESTION, self.user)]
        answer = items.pop()
        assert isinstance(answer, Answer)
        return [str(item) for item in items], answer


Open = Callable[..., AbstractAsyncContextManager[Scene]]


@pytest.fixture
def before(database_url: str, user: UserId, tokenizer: Tokenizer) -> Open:
    @asynccontextmanager
    async def opened(*scripts: list[ScriptItem]) -> AsyncIterator[Scene]:
        clock, events = ManualClock(), list[Event]()
        providers = [ScriptedGenerator(s, name=f"p{i}") for i, s in enumerate(scripts)]
        async with assemble(
            settings_for(database_url, provider_retries=0),
            embedder=CountingEmbedder(),
            providers=providers,
            tokenizer=tokenizer,
            clock=clock,
            listener=events.append,
        ) as application:
            await application.ingest.run(user, [note("grace")])
            yield Scene(application, providers, clock, events, user)

    return opened


async def test_the_next_provider_answers_and_its_answer_is_kept(before: Open) -> None:
    async with before([DOWN], [ANSWER]) as scene:
        answer = await scene.ask()
        assert (answer.provenance, answer.generator) == (Provenance.FRESH, "p1")
        assert (await scene.ask()).provenance is Provenance.CACHED


@pytest.mark.parametrize("failure", [DOWN, ProviderTimeout("slow"), ProviderRejected("wrong key")])
async def test_without_any_provider_the_notes_are_quoted(
    before: Open, failure: ProviderUnavailable
) -> None:
    async with before([failure], [failure]) as scene:
        answer = await scene.ask()
        assert answer.provenance is Provenance.DEGRADED
        assert answer.generator == "extractive"
        assert answer.citations
        assert answer.cost_usd == 0
        assert "notes say" in answer.notice
        told = [event for event in scene.events if isinstance(event, Answered)]
        assert told[-1].provenance is Provenance.DEGRADED


async def test_a_degraded_answer_is_not_kept(before: Open) -> None:
    async with before([DOWN, ANSWER], [DOWN]) as scene:
        assert (await scene.ask()).provenance is Provenance.DEGRADED
        scene.clock.advance(301)
        assert (await scene.ask()).provenance is Provenance.FRESH


async def test_a_degraded_answer_streams_too(before: Open) -> None:
    async with before([DOWN], [DOWN]) as scene:
        pieces, answer = await scene.stream()
        assert answer.provenance is Provenance.DEGRADED
        assert "".join(pieces) == answer.text


async def test_an_earlier_answer_whose_evidence_stands_comes_before_quotes(before: Open) -> None:
    async with before([ANSWER, DOWN, DOWN], [DOWN, DOWN]) as scene:
        await scene.ask()
        scene.clock.advance(2 * DAY_S)
        stale = await scene.ask()
        assert (stale.provenance, stale.text) == (Provenance.STALE, ANSWER)
        assert "earlier answer" in stale.notice
        await scene.application.ingest.run(scene.user, [note("grace", body="Grace is new.")])
        assert (await scene.ask()).provenance is Provenance.DEGRADED


async def test_a_spent_budget_says_so(before: Open) -> None:
    async with before([BudgetExhausted("user")], [BudgetExhausted("user")]) as scene:
        answer = await scene.ask()
        assert answer.provenance is Provenance.DEGRADED
        assert Flag.BUDGET_SPENT in answer.flags
        assert "budget" in answer.notice


async def test_what_was_shown_is_neither_taken_back_nor_kept(before: Open) -> None:
    long = " ".join(f"Grace is gift number {i} [1]." for i in range(50))
    async with before([Interrupted(long, DOWN)], [ANSWER]) as scene:
        pieces, answer = await scene.stream()
        assert Flag.BROKEN_OFF in answer.flags
        assert "".join(pieces).split() == answer.text.split()
        assert scene.providers[1].calls == 0
        assert (await scene.ask()).text == ANSWER


async def test_a_provider_that_fails_again_and_again_is_asked_no_more(before: Open) -> None:
    async with before([DOWN] * 10) as scene:
        for number in range(8):
            answer = await scene.ask(f"What does Paul call grace, {number}?")
            assert answer.provenance is Provenance.DEGRADED
        assert scene.providers[0].calls == 5
        changed = [event for event in scene.events if isinstance(event, BreakerChanged)]
        assert [(event.before, event.after) for event in changed] == [("closed", "open")]


class Hanging:
    """Never answers; notes how long it might have."""

    name, model, prices = "hanging", "v1", FREE

    def __init__(self) -> None:
        self.had_s: list[float] = []

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        self.had_s.append(seconds_left(1e9))
        await asyncio.Event().wait()
        raise AssertionError

    def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncGenerator[str | Completion, None]:
        raise NotImplementedError


async def test_a_provider_that_hangs_is_given_its_share_of_the_time_and_counts_as_failing(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """On the system's clock: here the waiting is what is tested."""
    hanging, events = Hanging(), list[Event]()
    async with assemble(
        settings_for(database_url, provider_retries=0, request_timeout_s=4, breaker_failures=1),
        embedder=CountingEmbedder(),
        providers=[hanging],
        tokenizer=tokenizer,
        listener=events.append,
    ) as application:
        await application.ingest.run(user, [note("grace")])
        for number in range(2):
            answer = await application.pipeline.answer(f"{QUESTION[:-1]}, {number}?", user)
            assert answer.provenance is Provenance.DEGRADED
    assert len(hanging.had_s) == 1, "its failure counted, and the second question asked no more"
    assert max(hanging.had_s) <= 0.9 * 4
    assert [e.after for e in events if isinstance(e, BreakerChanged)] == ["open"]
