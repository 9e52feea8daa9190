"""The router: who is asked, in which order, and when it gives up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import TypeVar

import pytest

from rag_core.adapters.generators import Interrupted, ScriptedGenerator, ScriptItem
from rag_core.clock import ManualClock, SystemClock
from rag_core.domain import Completion, Context, Prompt, Question, assemble_prompt
from rag_core.errors import (
    BreakerOpen,
    ContextOverflow,
    ProviderMisbehaved,
    ProviderOutOfCredit,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
)
from rag_core.events import Event, ProviderCalled
from rag_core.guard import Deadline
from rag_core.providers import Call, Provider, Router
from tests.rag_core.held_generator import HeldGenerator

T = TypeVar("T")
PROMPT = assemble_prompt(Question("Why?"), Context(), canary="0" * 16)
DOWN = ProviderUnavailable("down")


def call(streamed: bool) -> Call:
    return Call(PROMPT, 50, streamed=streamed, count=lambda text: len(text.split()))


class Watchful:
    """Refuses while it is `open_for_s`; ends a call at the deadline around it."""

    def __init__(self, open_for_s: float = 0.0) -> None:
        self.open_for_s = open_for_s

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        if self.open_for_s:
            raise BreakerOpen("open", retry_after_s=self.open_for_s)
        return await work()

    def stream(self, begin: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        return begin()


class Asked:
    """A router over scripted providers, and what it told of them."""

    def __init__(self, *scripts: list[ScriptItem], guards: dict[int, Watchful] | None = None):
        self.clock = ManualClock()
        self.generators = [ScriptedGenerator(s, name=f"p{i}") for i, s in enumerate(scripts)]
        self.events: list[Event] = []
        given = guards or {}
        providers = [
            Provider(each, given.get(i, Watchful())) for i, each in enumerate(self.generators)
        ]
        self.router = Router(providers, clock=self.clock, listener=self.events.append)

    async def write(self, *, streamed: bool = False) -> tuple[str, str, list[str]]:
        """The writer's name, the text, and the pieces that came before."""
        return await written(self.router, streamed=streamed)

    @property
    def calls(self) -> list[int]:
        return [each.calls for each in self.generators]


async def written(router: Router, *, streamed: bool = False) -> tuple[str, str, list[str]]:
    pieces: list[str] = []
    async with aclosing(router.write(call(streamed))) as items:
        async for generator, item in items:
            if isinstance(item, Completion):
                name, text = generator.name, item.text
            else:
                pieces.append(item)
    return name, text, pieces


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize(
    "failure",
    [
        DOWN,
        ProviderTimeout("slow"),
        ProviderRateLimited("slower", retry_after_s=7),
        ProviderOutOfCredit("broke"),
        ProviderRejected("wrong key", status=401),
        ContextOverflow("too long", status=400),
        ProviderMisbehaved("garbage"),
    ],
)
async def test_whatever_fails_the_next_provider_is_asked(failure: RagError, streamed: bool) -> None:
    asked = Asked([failure], ["Grace is a gift [1]."])
    assert (await asked.write(streamed=streamed))[:2] == ("p1", "Grace is a gift [1].")
    told = [each for each in asked.events if isinstance(each, ProviderCalled)]
    assert [(each.provider, each.outcome) for each in told] == [
        ("p0", type(failure).__name__),
        ("p1", "ok"),
    ]


async def test_when_all_fail_the_last_failure_is_raised() -> None:
    asked = Asked([DOWN], [ProviderTimeout("the last one")])
    with pytest.raises(ProviderTimeout, match="the last one"):
        await asked.write()


async def test_who_failed_is_asked_last_for_five_minutes() -> None:
    asked = Asked([DOWN, "one", "one"], ["two"] * 4)
    names = [(await asked.write())[0] for _ in range(2)]
    asked.clock.advance(299)
    names.append((await asked.write())[0])
    asked.clock.advance(2)
    names.append((await asked.write())[0])
    assert names == ["p1", "p1", "p1", "p0"]


async def test_the_only_provider_is_asked_again_at_once() -> None:
    asked = Asked([DOWN, "Grace."])
    with pytest.raises(ProviderUnavailable):
        await asked.write()
    assert (await asked.write())[0] == "p0"


async def test_who_says_when_to_come_again_is_not_asked_before() -> None:
    asked = Asked([ProviderRateLimited("slow down", retry_after_s=40), "Grace."])
    with pytest.raises(ProviderRateLimited):
        await asked.write()
    asked.clock.advance(15)
    with pytest.raises(ProviderUnavailable) as left_alone:
        await asked.write()
    assert left_alone.value.retry_after_s == pytest.approx(25)
    assert asked.calls == [1]
    asked.clock.advance(26)
    assert (await asked.write())[0] == "p0"


async def test_a_prompt_that_is_too_long_is_not_held_against_the_provider() -> None:
    asked = Asked([ContextOverflow("too long"), "one"], ["two"])
    assert [(await asked.write())[0] for _ in range(2)] == ["p1", "p0"]


async def test_an_open_breaker_costs_no_call_and_is_asked_again_as_soon_as_it_closes() -> None:
    guard = Watchful(open_for_s=20)
    asked = Asked(["one"], ["two"], guards={0: guard})
    assert (await asked.write())[0] == "p1"
    assert asked.calls == [0, 1]
    guard.open_for_s = 0.0
    assert (await asked.write())[0] == "p0"


async def test_where_only_breakers_are_open_the_provider_is_unavailable_for_so_long() -> None:
    asked = Asked(["one"], guards={0: Watchful(open_for_s=20)})
    with pytest.raises(ProviderUnavailable) as refused:
        await asked.write()
    assert refused.value.retry_after_s == 20


async def test_after_the_first_piece_there_is_no_other_provider() -> None:
    asked = Asked([Interrupted("Grace is", DOWN)], ["Faith."])
    items = asked.router.write(call(streamed=True))
    pieces = [str((await anext(items))[1]) for _ in range(2)]
    with pytest.raises(ProviderUnavailable):
        await anext(items)
    assert (pieces, asked.calls) == (["Grace", " is"], [1, 0])


class Sharing:
    """Notes what time a provider has."""

    name, model, prices = "sharing", "v1", ScriptedGenerator([]).prices

    def __init__(self) -> None:
        self.had_s: list[float] = []

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        from rag_core.guard import seconds_left

        self.had_s.append(seconds_left(1e9))
        raise DOWN

    def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncGenerator[str | Completion, None]:
        raise NotImplementedError


async def test_one_that_hangs_leaves_the_others_their_share_of_the_time() -> None:
    clock, sharing = ManualClock(), Sharing()
    providers = [Provider(sharing, Watchful()) for _ in range(3)]
    with Deadline(27, clock).applied(), pytest.raises(ProviderUnavailable):
        await written(Router(providers, clock=clock))
    assert sharing.had_s == pytest.approx([9, 13.5, 27])


async def test_leaving_early_ends_the_provider_s_call() -> None:
    held, events = HeldGenerator(), list[Event]()
    router = Router([Provider(held, Watchful())], clock=SystemClock(), listener=events.append)
    asking = asyncio.create_task(written(router, streamed=True))
    await held.asked()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert held.open == 0
    assert [e.outcome for e in events if isinstance(e, ProviderCalled)] == ["cancelled"]
