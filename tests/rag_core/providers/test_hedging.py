"""Hedging: the second provider is asked when the first is slow, rarely, and never twice charged."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing

import pytest

from rag_core.clock import ManualClock
from rag_core.domain import FREE, NO_USAGE, Completion, Context, Prompt, Question, assemble_prompt
from rag_core.errors import ProviderUnavailable
from rag_core.events import Event, ProviderCalled
from rag_core.guard import Deadline, seconds_left
from rag_core.providers import Call, Hedging, Provider, Router
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.providers.test_router import Watchful, written

PROMPT = assemble_prompt(Question("Why?"), Context(), canary="0" * 16)


class PatientClock(ManualClock):
    """Sleepers wait until the clock is moved past them."""

    def __init__(self) -> None:
        super().__init__()
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now() + seconds, woken))
        await woken.wait()

    async def passes(self, seconds: float) -> None:
        self.advance(seconds)
        for until, woken in self._sleepers:
            if until <= self.now():
                woken.set()
        for _ in range(20):
            await asyncio.sleep(0)


class Hedged:
    """A router over two held generators that knows what is usual: one second."""

    def __init__(self, usual: Iterable[float] = [1.0] * 50, saved: int = 40) -> None:
        self.clock, self.events = PatientClock(), list[Event]()
        self.one, self.two = HeldGenerator(), HeldGenerator()
        self.guards = [Watchful(), Watchful()]
        self.hedging = Hedging()
        for seconds in usual:
            self.hedging.took("held whole", seconds)
        for _ in range(saved):
            self.hedging.earn()
        self.router = Router(
            [Provider(self.one, self.guards[0]), Provider(self.two, self.guards[1])],
            clock=self.clock,
            listener=self.events.append,
            hedging=self.hedging,
        )

    def asking(self, *, hedge: bool = True) -> asyncio.Task[str]:
        return asyncio.create_task(self._text(hedge))

    async def _text(self, hedge: bool) -> str:
        call = Call(PROMPT, 50, streamed=False, count=len)
        async with aclosing(self.router.write(call, hedge=hedge)) as items:
            (written,) = [item async for _, item in items]
        assert isinstance(written, Completion)
        return written.text


async def test_a_slow_provider_is_left_for_the_one_that_answers_first() -> None:
    hedged = Hedged()
    asking = hedged.asking()
    await hedged.one.asked()
    await hedged.clock.passes(0.9)
    assert hedged.two.calls == 0
    await hedged.clock.passes(0.2)
    await hedged.two.asked()
    hedged.two.say("Grace.")
    hedged.two.end()
    assert await asking == "Grace."
    assert (hedged.one.open, hedged.hedging.extra) == (0, 1)
    told = [(e.outcome, e.hedge) for e in hedged.events if isinstance(e, ProviderCalled)]
    assert sorted(told) == [("cancelled", False), ("ok", True)]


async def test_the_first_may_still_win() -> None:
    hedged = Hedged()
    asking = hedged.asking()
    await hedged.one.asked()
    await hedged.clock.passes(1.1)
    await hedged.two.asked()
    hedged.one.say("Faith.")
    hedged.one.end()
    assert await asking == "Faith."
    assert hedged.two.open == 0


@pytest.mark.parametrize("failing", ["one", "two"])
async def test_if_one_of_both_fails_the_other_is_waited_for(failing: str) -> None:
    hedged = Hedged()
    asking = hedged.asking()
    await hedged.one.asked()
    await hedged.clock.passes(1.1)
    await hedged.two.asked()
    broken, well = (hedged.one, hedged.two) if failing == "one" else (hedged.two, hedged.one)
    broken.fail(ProviderUnavailable("down"))
    well.say("Hope.")
    well.end()
    assert await asking == "Hope."


async def test_if_both_fail_that_is_raised_and_neither_is_asked_again() -> None:
    hedged = Hedged()
    asking = hedged.asking()
    await hedged.one.asked()
    await hedged.clock.passes(1.1)
    await hedged.two.asked()
    hedged.one.fail(ProviderUnavailable("down"))
    hedged.two.fail(ProviderUnavailable("down"))
    with pytest.raises(ProviderUnavailable):
        await asking
    assert (hedged.one.calls, hedged.two.calls) == (1, 1)


@pytest.mark.parametrize("why", ["not saved up", "unusual", "breaker", "money"])
async def test_nobody_is_asked_twice_where_it_is_not_worth_it(why: str) -> None:
    hedged = Hedged(
        usual=[1.0] * (10 if why == "unusual" else 50), saved=0 if why == "not saved up" else 40
    )
    if why == "breaker":
        hedged.guards[1].open_for_s = 3.0
    asking = hedged.asking(hedge=why != "money")
    await hedged.one.asked()
    await hedged.clock.passes(60)
    assert hedged.two.calls == 0
    hedged.one.say("Grace.")
    hedged.one.end()
    assert await asking == "Grace."


def test_of_all_calls_three_in_a_hundred_are_asked_twice_at_most() -> None:
    hedging, chance = Hedging(), random.Random(1)
    for _ in range(10_000):
        hedging.earn()
        wait_s, took_s = hedging.wait_s("a"), chance.lognormvariate(0, 1.5)
        if wait_s is not None and took_s > wait_s:
            hedging.allowed()
        hedging.took("a", took_s)
    assert 0.02 <= hedging.extra / hedging.calls <= 0.03


def test_who_is_left_because_it_is_slow_counts_as_slow() -> None:
    """Else only the fast ones would be remembered, and what is slow would become ever faster."""
    hedging = Hedging()
    for _ in range(100):
        hedging.took("a", 1.0)
    for _ in range(20):
        hedging.gave_up("a", 5.0)
        hedging.gave_up("a", 0.1)
    assert hedging.wait_s("a") == 5.0


async def test_a_first_that_fails_fast_goes_over_to_the_second_without_a_hedge() -> None:
    hedged = Hedged()
    asking = hedged.asking()
    await hedged.one.asked()
    hedged.one.fail(ProviderUnavailable("down"))
    await hedged.two.asked()
    hedged.two.say("Hope.")
    hedged.two.end()
    assert await asking == "Hope."
    assert hedged.hedging.extra == 0


async def test_a_stream_goes_on_from_whoever_began_first() -> None:
    hedged = Hedged()
    for _ in range(50):
        hedged.hedging.took("held first token", 1.0)
    asking = asyncio.create_task(written(hedged.router, streamed=True))
    await hedged.one.asked()
    await hedged.clock.passes(1.1)
    await hedged.two.asked()
    hedged.two.say("Grace ")
    await hedged.clock.passes(0)
    hedged.one.say("Faith.")
    hedged.one.end()
    hedged.two.say("abounds.")
    hedged.two.end()
    assert await asking == ("held", "Grace abounds.", ["Grace ", "abounds."])


class Timed:
    """A stream that notes what time it has before its first piece, and after it."""

    name, model, prices = "timed", "v1", FREE

    def __init__(self) -> None:
        self.had_s: list[float] = []

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        raise AssertionError("only streams are asked for")

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        self.had_s.append(seconds_left(1e9))
        yield "Grace."
        for _ in range(20):  # others get their turns, as while a token is waited for
            await asyncio.sleep(0)
        self.had_s.append(seconds_left(1e9))
        yield Completion("Grace.", NO_USAGE, self.model)


async def test_a_stream_that_has_begun_has_the_whole_time_hedged_or_not() -> None:
    for hedging in (None, Hedging()):
        clock, timed = PatientClock(), Timed()
        for _ in range(50):
            if hedging:
                hedging.took("timed first token", 1.0)
        providers = [Provider(timed, Watchful()), Provider(HeldGenerator(), Watchful())]
        with Deadline(27, clock).applied():
            await written(Router(providers, clock=clock, hedging=hedging), streamed=True)
        assert timed.had_s == pytest.approx([13.5, 27.0])
