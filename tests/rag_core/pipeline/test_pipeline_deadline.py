"""Every question ends by its deadline, with the best there is by then, and leaves nothing behind.

On the loop's own clock, which the tests move ahead: what is tested here is what waits by it.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from rag_core.domain import Answer, Completion, Flag, Prompt, Provenance, Tokenizer, UserId
from rag_core.errors import DatabaseUnavailable, DeadlineExceeded, ProviderTimeout
from rag_core.guard import seconds_left
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.loop_clock import LoopClock
from tests.rag_core.scene import ANSWER, QUESTION, Scene, open_scene, settings_for
from tests.servers.counting_proxy import counting_proxy

if TYPE_CHECKING:
    from rag_core.domain import Matrix

REQUEST_S = 100.0
"""For all of a question: a busy machine does not use up even the hundredth part of it."""

GENERATING_S = REQUEST_S * 0.94
"""After so long the generator's time is over, and the question's is not."""

PIECES = [f"Grace is gift number {i}, as Paul has it in his letter [1]. " for i in range(20)]

Way = Literal["answer", "stream"]
ways = pytest.mark.parametrize("way", ["answer", "stream"])


async def taken(scene: Scene, way: Way) -> Answer:
    """The answer."""
    return await scene.ask() if way == "answer" else (await scene.stream())[1]


@pytest.fixture
async def held() -> HeldGenerator:
    return HeldGenerator()


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> LoopClock:
    return LoopClock(monkeypatch)


Opened = Callable[..., AbstractAsyncContextManager[Scene]]
"""Opens a scene; `url` and `generator` take the places of the usual ones, the rest are settings."""


@pytest.fixture
def timed(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, clock: LoopClock
) -> Opened:
    @asynccontextmanager
    async def opened(
        url: str = database_url,
        generator: HeldGenerator = held,
        embedder: CountingEmbedder | None = None,
        **options: Any,
    ) -> AsyncIterator[Scene]:
        """A user with a note, and so long for each question; answers are fresh for no time."""
        options = {"request_timeout_s": REQUEST_S, "answer_soft_ttl_s": 1e-9} | options
        settings = settings_for(url, **options)
        async with open_scene(
            settings, user, tokenizer, generator=generator, embedder=embedder, clock=clock
        ) as scene:
            await scene.store(note("grace"))
            yield scene

    return opened


async def answered(scene: Scene, held: HeldGenerator, way: Way = "answer") -> Answer:
    """What is answered when the generator says what it should."""
    asking = asyncio.create_task(taken(scene, way))
    await held.asked(held.calls + 1)
    held.say(ANSWER)
    held.end()
    return await asking


@ways
async def test_when_the_generator_never_answers_the_old_answer_is_served_if_it_still_stands(
    timed: Opened, held: HeldGenerator, clock: LoopClock, way: Way
) -> None:
    async with timed() as scene:
        assert (await answered(scene, held)).provenance is Provenance.FRESH
        asking = asyncio.create_task(taken(scene, way))
        await held.asked(2)
        clock.advance(GENERATING_S)
        answer = await asking
        assert (answer.provenance, answer.text) == (Provenance.STALE, ANSWER)
        assert (held.calls, held.open) == (2, 0)


@ways
async def test_when_there_is_none_it_ends_as_the_providers_timeout(
    timed: Opened, held: HeldGenerator, clock: LoopClock, way: Way
) -> None:
    async with timed() as scene:
        asking = asyncio.create_task(taken(scene, way))
        await held.asked()
        clock.advance(GENERATING_S)
        with pytest.raises(ProviderTimeout):
            await asking
        assert (held.calls, held.open) == (1, 0)


async def test_a_stream_that_stops_in_the_middle_ends_too(
    timed: Opened, user: UserId, held: HeldGenerator, clock: LoopClock
) -> None:
    """What was shown was shown; nothing of it is kept."""
    shown: list[str | Answer] = []

    async def read(scene: Scene) -> None:
        async for piece in scene.application.pipeline.stream(QUESTION, user):
            shown.append(piece)  # noqa: PERF401 - what came before the error shall be seen

    async with timed() as scene:
        reading = asyncio.create_task(read(scene))
        await held.asked()
        held.say(*PIECES)
        await eventually(lambda: bool(shown))
        clock.advance(GENERATING_S)
        await reading
        *pieces, answer = shown
        assert isinstance(answer, Answer)
        assert Flag.BROKEN_OFF in answer.flags
        assert "".join(map(str, pieces)).split() == answer.text.split()
        assert held.open == 0
        assert (await scene.application.pipeline.stats())["answer"].entries == 0


async def test_the_time_that_came_before_counts(timed: Opened, clock: LoopClock) -> None:
    """A generator that is asked late has what is left, not what it would like."""
    left: list[float] = []

    class Late(CountingEmbedder):
        late_s = 0.0

        async def embed(self, texts: Sequence[str]) -> Matrix:
            clock.advance(self.late_s)
            return await super().embed(texts)

    class Noting(HeldGenerator):
        def stream(
            self, prompt: Prompt, *, max_tokens: int
        ) -> AsyncGenerator[str | Completion, None]:
            left.append(seconds_left(math.inf))
            return super().stream(prompt, max_tokens=max_tokens)

    late, noting = Late(), Noting()
    async with timed(generator=noting, embedder=late) as scene:
        late.late_s = REQUEST_S / 2
        asking = asyncio.create_task(taken(scene, "answer"))
        await noting.asked()
        clock.advance(GENERATING_S / 2)
        with pytest.raises(ProviderTimeout):
            await asking
    assert len(left) == 1
    assert 0 < left[0] < REQUEST_S / 2


@ways
async def test_what_hangs_before_there_is_evidence_ends_at_the_deadline(
    timed: Opened, held: HeldGenerator, clock: LoopClock, way: Way
) -> None:
    """Nothing can be served: what the old answer rests on has not been found again."""

    class Hanging(CountingEmbedder):
        hanging = hung = ended = False

        async def embed(self, texts: Sequence[str]) -> Matrix:
            try:
                while self.hanging:
                    self.hung = True
                    await asyncio.Event().wait()
            finally:
                self.ended = self.hung
            return await super().embed(texts)

    embedder = Hanging()
    async with timed(embedder=embedder) as scene:
        embedder.hanging = True
        asking = asyncio.create_task(taken(scene, way))
        await eventually(lambda: embedder.hung)
        clock.advance(REQUEST_S)
        with pytest.raises(DeadlineExceeded):
            await asking
        assert embedder.ended
        assert held.calls == 0


@ways
async def test_a_question_to_a_frozen_database_ends_in_the_time_for_reads_and_the_next_is_answered(
    timed: Opened, database_url: str, held: HeldGenerator, way: Way
) -> None:
    """Whether it is the first to ask or joins behind those whose read hangs."""
    async with (
        counting_proxy(database_url) as proxy,
        timed(proxy.url, database_timeout_s=REQUEST_S / 100) as scene,
    ):
        proxy.freeze()
        asking = [asyncio.create_task(taken(scene, way)) for _ in range(3)]
        await asyncio.sleep(0)
        asking.append(asyncio.create_task(taken(scene, way)))
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseUnavailable] * 4
        proxy.resume()
        assert (await answered(scene, held, way)).text == ANSWER


async def test_a_question_with_less_time_than_a_read_ends_by_its_own_deadline(
    timed: Opened, database_url: str, clock: LoopClock
) -> None:
    async with (
        counting_proxy(database_url) as proxy,
        timed(proxy.url, database_timeout_s=REQUEST_S * 100) as scene,
    ):
        proxy.freeze()
        asking = asyncio.create_task(scene.ask())
        await asyncio.sleep(0)
        clock.advance(REQUEST_S)
        with pytest.raises(DatabaseUnavailable):
            await asking
        proxy.resume()


async def test_requests_without_a_pause_do_not_inherit_the_deadline_of_the_first(
    timed: Opened, held: HeldGenerator, clock: LoopClock
) -> None:
    """Their reads of the epoch follow upon one another for longer than a request may take."""
    async with timed(answer_soft_ttl_s=REQUEST_S * 100) as scene:
        await answered(scene, held)
        until = clock.monotonic() + 1.5 * REQUEST_S

        async def ask_on() -> set[Provenance]:
            seen = set()
            while clock.monotonic() < until:
                seen.add((await scene.ask()).provenance)
                clock.advance(REQUEST_S / 200)
            return seen

        seen = await asyncio.gather(*(ask_on() for _ in range(4)))
        assert set().union(*seen) == {Provenance.CACHED}
