"""Every question ends by its deadline, with the best there is by then, and leaves nothing behind.

On the system's clock: here the waiting is what is tested.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal

import pytest

from rag_core.clock import SystemClock
from rag_core.domain import Answer, Flag, Provenance, Tokenizer, UserId
from rag_core.errors import DatabaseUnavailable, DeadlineExceeded, ProviderTimeout
from rag_core.guard import seconds_left
from tests.rag_core.cache.parts import PATIENCE_S
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, Scene, open_scene, settings_for
from tests.servers.counting_proxy import counting_proxy

if TYPE_CHECKING:
    from rag_core.domain import Matrix

SHORT_S = 0.5
"""For all of a question: long enough that a busy machine does not mistake its parts' order."""

PIECES = [f"Grace is gift number {i}, as Paul has it in his letter [1]. " for i in range(20)]

Way = Literal["answer", "stream"]
ways = pytest.mark.parametrize("way", ["answer", "stream"])


async def taken(scene: Scene, way: Way) -> Answer:
    """The answer, which comes by its deadline or long before our patience ends."""
    async with asyncio.timeout(PATIENCE_S):
        return await scene.ask() if way == "answer" else (await scene.stream())[1]


@pytest.fixture
async def held() -> HeldGenerator:
    return HeldGenerator()


@asynccontextmanager
async def hurried(
    url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, **options: Any
) -> AsyncIterator[Scene]:
    """A user with a note, and half a second for each question; answers are fresh for no time."""
    embedder = options.pop("embedder", None)
    options = {"request_timeout_s": SHORT_S, "answer_soft_ttl_s": 1e-9} | options
    async with open_scene(
        settings_for(url, **options),
        user,
        tokenizer,
        generator=held,
        embedder=embedder,
        clock=SystemClock(),
    ) as scene:
        await scene.store(note("grace"))
        yield scene


@ways
async def test_when_the_generator_never_answers_the_old_answer_is_served_if_it_still_stands(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, way: Way
) -> None:
    async with hurried(database_url, user, tokenizer, held) as scene:
        first = asyncio.create_task(scene.ask())
        await held.asked()
        held.say(ANSWER)
        held.end()
        assert (await first).provenance is Provenance.FRESH
        answer = await taken(scene, way)
        assert (answer.provenance, answer.text) == (Provenance.STALE, ANSWER)
        assert (held.calls, held.open) == (2, 0)


@ways
async def test_when_there_is_none_it_ends_as_the_providers_timeout(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, way: Way
) -> None:
    async with hurried(database_url, user, tokenizer, held) as scene:
        with pytest.raises(ProviderTimeout):
            await taken(scene, way)
        assert (held.calls, held.open) == (1, 0)


async def test_a_stream_that_stops_in_the_middle_ends_too(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> None:
    """What was shown was shown; nothing of it is kept."""
    shown: list[str | Answer] = []

    async def read(scene: Scene) -> None:
        async for piece in scene.application.pipeline.stream(QUESTION, user):
            shown.append(piece)  # noqa: PERF401 - what came before the error shall be seen

    async with hurried(database_url, user, tokenizer, held) as scene:
        reading = asyncio.create_task(read(scene))
        await held.asked()
        held.say(*PIECES)
        await reading
        *pieces, answer = shown
        assert isinstance(answer, Answer)
        assert Flag.BROKEN_OFF in answer.flags
        assert "".join(map(str, pieces)).split() == answer.text.split()
        assert held.open == 0
        assert (await scene.application.pipeline.stats())["answer"].entries == 0


async def test_the_time_that_came_before_counts(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> None:
    """A generator that is asked late has what is left, not what it would like."""
    left: list[float] = []

    class Late(CountingEmbedder):
        async def embed(self, texts: Sequence[str]) -> Matrix:
            left.append(seconds_left(PATIENCE_S))
            return await super().embed(texts)

    async with hurried(database_url, user, tokenizer, held, embedder=Late()) as scene:
        with pytest.raises(ProviderTimeout):
            await taken(scene, "answer")
    saving, asking = left
    assert saving == PATIENCE_S, "a save is no question"
    assert 0 < asking < SHORT_S


@ways
async def test_what_hangs_before_there_is_evidence_ends_at_the_deadline(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, way: Way
) -> None:
    """Nothing can be served: what the old answer rests on has not been found again."""

    class Hanging(CountingEmbedder):
        hanging = ended = False

        async def embed(self, texts: Sequence[str]) -> Matrix:
            try:
                while self.hanging:
                    await asyncio.Event().wait()
            finally:
                self.ended = self.hanging
            return await super().embed(texts)

    embedder = Hanging()
    async with hurried(database_url, user, tokenizer, held, embedder=embedder) as scene:
        embedder.hanging = True
        with pytest.raises(DeadlineExceeded):
            await taken(scene, way)
        assert embedder.ended
        assert held.calls == 0


@ways
async def test_a_question_to_a_frozen_database_ends_in_the_time_for_reads_and_the_next_is_answered(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator, way: Way
) -> None:
    """Whether it is the first to ask or joins behind those whose read hangs."""
    async with (
        counting_proxy(database_url) as proxy,
        hurried(
            proxy.url, user, tokenizer, held, request_timeout_s=PATIENCE_S, database_timeout_s=0.3
        ) as scene,
    ):
        proxy.freeze()
        asking = [asyncio.create_task(taken(scene, way)) for _ in range(3)]
        await asyncio.sleep(0)
        asking.append(asyncio.create_task(taken(scene, way)))
        results = await asyncio.gather(*asking, return_exceptions=True)
        assert [type(result) for result in results] == [DatabaseUnavailable] * 4
        proxy.resume()
        again = asyncio.create_task(taken(scene, way))
        await held.asked()
        held.say(ANSWER)
        held.end()
        assert (await again).text == ANSWER


async def test_a_question_with_less_time_than_a_read_ends_by_its_own_deadline(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> None:
    async with (
        counting_proxy(database_url) as proxy,
        hurried(proxy.url, user, tokenizer, held, database_timeout_s=PATIENCE_S) as scene,
    ):
        proxy.freeze()
        async with asyncio.timeout(PATIENCE_S / 2):
            with pytest.raises(DatabaseUnavailable):
                await scene.ask()
        proxy.resume()


async def test_requests_without_a_pause_do_not_inherit_the_deadline_of_the_first(
    database_url: str, user: UserId, tokenizer: Tokenizer, held: HeldGenerator
) -> None:
    """Their reads of the epoch follow upon one another for longer than a request may take."""
    async with hurried(
        database_url, user, tokenizer, held, request_timeout_s=3.0, answer_soft_ttl_s=600
    ) as scene:
        first = asyncio.create_task(taken(scene, "answer"))
        await held.asked()
        held.say(ANSWER)
        held.end()
        await first
        until = asyncio.get_running_loop().time() + 4

        async def ask_on() -> set[Provenance]:
            seen = set()
            while asyncio.get_running_loop().time() < until:
                seen.add((await scene.ask()).provenance)
            return seen

        seen = await asyncio.gather(*(ask_on() for _ in range(4)))
        assert set().union(*seen) == {Provenance.CACHED}
