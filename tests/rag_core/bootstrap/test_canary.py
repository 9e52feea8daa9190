"""A canary: some users are answered by other settings, and rolled back by one."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from itertools import pairwise
from math import sqrt

import pytest

from rag_core.bootstrap import Canary, in_canary
from rag_core.domain import Answer, Provenance, Tokenizer, UserId
from rag_core.errors import ConfigurationError, InvalidInput
from rag_core.events import Answered, QueryFailed
from rag_core.settings import Settings
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import note
from tests.rag_core.scene import QUESTION, Scene, open_scene, settings_for

USERS = [UserId(f"user-{number}") for number in range(10_000)]
WIDER = {"canary_settings": {"top_k": 9}}
FRESH, CACHED = Provenance.FRESH, Provenance.CACHED


def some_user(*, canary: bool, percent: float = 10.0) -> UserId:
    return next(user for user in USERS if in_canary(user, percent) is canary)


def rolled(scene: Scene, **changes: object) -> Settings:
    """The settings as an operator changed them."""
    return scene.application.rollout.stable.settings.model_copy(update=changes)


async def ask(scene: Scene, user: UserId) -> Answer:
    return await scene.application.rollout.answering(user).answer(QUESTION, user)


def variants(scene: Scene) -> list[str]:
    return [event.variant for event in scene.events if isinstance(event, Answered)]


@pytest.mark.parametrize("percent", [0.5, 10, 50, 99])
def test_as_many_users_are_in_it_as_the_percentage_says(percent: float) -> None:
    """Within four standard deviations of a fair draw."""
    share = sum(in_canary(user, percent) for user in USERS) / len(USERS)
    p = percent / 100
    assert abs(share - p) < 4 * sqrt(p * (1 - p) / len(USERS))


def test_who_is_in_it_stays_in_it_as_it_grows() -> None:
    percents = (0, 1, 5, 25, 75, 100)
    members = [{user for user in USERS if in_canary(user, percent)} for percent in percents]
    assert all(few <= more for few, more in pairwise(members))
    assert (len(members[0]), len(members[-1])) == (0, len(USERS))


async def test_answers_are_counted_apart_and_each_user_has_always_the_same(
    database_url: str, tokenizer: Tokenizer
) -> None:
    inside, outside = some_user(canary=True), some_user(canary=False)
    settings = settings_for(database_url, canary_percent=10.0, **WIDER)
    async with open_scene(settings, inside, tokenizer) as scene:
        for user in (inside, outside):
            await scene.store(note("grace"), user=user)
        for _ in range(3):
            await ask(scene, inside)
            await ask(scene, outside)
        with pytest.raises(InvalidInput):
            await scene.application.rollout.answering(inside).answer("", inside)
    assert variants(scene) == ["canary", "stable"] * 3
    failed = [event.variant for event in scene.events if isinstance(event, QueryFailed)]
    assert failed in ([], ["canary"])


async def test_the_canary_has_settings_and_cached_answers_of_its_own(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """Nobody is served what the other pipeline made, neither when it begins nor after it."""
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"))
        provenances = [(await ask(scene, user)).provenance for _ in range(2)]
        await scene.application.rollout.change(rolled(scene, canary_percent=100.0, **WIDER))
        provenances += [(await ask(scene, user)).provenance for _ in range(2)]
        canary = scene.application.rollout.canary
        assert canary is not None
        assert canary.wired.settings.top_k == 9
        assert canary.wired.pipeline.digest != scene.application.pipeline.digest
        await scene.application.rollout.change(rolled(scene, canary_percent=0.0, **WIDER))
        provenances += [(await ask(scene, user)).provenance]
    assert provenances == [FRESH, CACHED, FRESH, CACHED, CACHED]
    assert variants(scene) == ["stable", "stable", "canary", "canary", "stable"]


async def test_a_canary_that_cannot_be_changes_nothing(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, canary_percent=100.0, **WIDER)
    async with open_scene(settings, user, tokenizer) as scene:
        rollout = scene.application.rollout
        before = rollout.canary
        for changes in ({"topk": 1}, {"search_method": "hnsw"}):  # no such setting, no such index
            with pytest.raises(ConfigurationError):
                await rollout.change(rolled(scene, canary_settings=changes))
        assert rollout.canary is before is not None
    with pytest.raises(ConfigurationError, match="Did you mean top_k"):
        async with open_scene(
            settings_for(database_url, canary_percent=1.0, canary_settings={"topk": 1}),
            user,
            tokenizer,
        ):
            pass


async def test_what_is_under_way_ends_on_the_canary_that_was_rolled_back(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    settings = settings_for(database_url, canary_percent=100.0, **WIDER)
    async with open_scene(settings, user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"))
        first = asyncio.create_task(ask(scene, user))
        await held.asked(1)
        await scene.application.rollout.change(rolled(scene, canary_percent=0.0))
        second = asyncio.create_task(ask(scene, user))
        await held.asked(2)
        for call in (0, 1):
            held.say("Grace is a gift [1].", call=call)
            held.end(call=call)
        assert [(await each).provenance for each in (first, second)] == [FRESH, FRESH]
    assert sorted(variants(scene)) == ["canary", "stable"]


async def test_a_canary_is_closed_when_the_last_request_on_it_has_ended(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    held, closed = HeldGenerator(), asyncio.Event()
    async with open_scene(settings_for(database_url), user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"))
        opened = AsyncExitStack()
        opened.callback(closed.set)
        canary = Canary(100.0, scene.application.rollout.stable, opened)
        asking = asyncio.create_task(canary.answering().answer(QUESTION, user))
        await held.asked(1)
        retiring = asyncio.create_task(canary.retire())
        for _ in range(10):
            await asyncio.sleep(0)
        assert not closed.is_set()
        held.say("Grace is a gift [1].")
        held.end()
        await asking
        await eventually(closed.is_set)
        await retiring


async def test_a_stream_that_is_cut_leaves_the_canary_too(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldGenerator()
    async with open_scene(settings_for(database_url), user, tokenizer, generator=held) as scene:
        await scene.store(note("grace"))
        canary = Canary(100.0, scene.application.rollout.stable, AsyncExitStack())
        pieces = canary.answering().stream(QUESTION, user)
        reading = asyncio.create_task(anext(pieces))
        await held.asked(1)
        held.say(*[f"Grace is gift number {i}, as Paul has it [1]. " for i in range(20)])
        await reading
        await pieces.aclose()
        await asyncio.wait_for(canary.retire(), 5)
