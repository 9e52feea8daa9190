"""What every source of epochs and every store that tells a board do, in memory as in Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rag_core.cache.epochs import Epoch
from rag_core.errors import EmbedderMismatch
from rag_core.user import UserId
from tests.rag_core.adapters.note_backend import OTHER_DIGEST, Backend
from tests.rag_core.library import library, note


class BoardBroke(Exception):
    """The board could not be told."""


# Epochs


async def test_every_change_makes_a_new_epoch_and_reading_makes_none(
    backend: Backend, user: UserId
) -> None:
    epochs = [await backend.epochs.epoch(user)]
    await backend.write(user, note("grace"), note("storm"))
    epochs.append(await backend.epochs.epoch(user))
    await backend.found(user, "grace")
    await backend.state(user)
    await backend.holdable(user)
    assert await backend.epochs.epoch(user) == epochs[-1]
    await backend.write(user, note("grace"))
    epochs.append(await backend.epochs.epoch(user))
    await backend.store.delete(user, "grace")
    epochs.append(await backend.epochs.epoch(user))
    await backend.re_embed(user, note("storm"))
    epochs.append(await backend.epochs.epoch(user))
    assert epochs[0] is None
    assert len(set(epochs)) == 5


async def test_nothing_is_held_for_an_unknown_user(backend: Backend, user: UserId) -> None:
    assert await backend.holdable(user) is None


async def test_several_may_hold_an_epoch_at_once(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    """And a holder keeps no writer of another user waiting."""
    await backend.write(user, note("grace"))
    async with backend.epochs.hold(user) as first, backend.epochs.hold(user) as second:
        assert first == second == await backend.epochs.epoch(user)
        await backend.write(other_user, note("grace"))


async def test_nothing_is_held_while_a_change_is_in_flight(backend: Backend, user: UserId) -> None:
    """It learns so at once: were it to wait for the writer here, both would wait for ever."""
    await backend.write(user, note("grace"))
    held: list[Epoch | None] = []

    async def look() -> None:
        held.append(await backend.holdable(user))

    backend.board.once(look)
    await backend.write(user, note("storm"))
    assert held == [None]
    assert await backend.holdable(user) == await backend.epochs.epoch(user)


async def test_a_writer_waits_until_nobody_holds_the_epoch(backend: Backend, user: UserId) -> None:
    """It announces nothing until then; and from when it waits, nobody new can hold it up."""
    await backend.write(user, note("grace"))
    before, told = await backend.state(user), list(backend.board.seen)
    async with backend.epochs.hold(user) as held:
        writing = asyncio.create_task(backend.write(user, note("storm")))
        await backend.turned_away(user, held)
        for _ in range(10):  # long enough for a writer that would not wait
            assert await backend.state(user) == before
        assert backend.board.seen == told
    await writing
    assert await backend.store.read(user) == [note("grace"), note("storm")]
    assert await backend.holdable(user) not in (None, held)


async def test_a_writer_that_gives_up_waiting_is_in_nobodys_way(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    async with backend.epochs.hold(user) as held:
        writing = asyncio.create_task(backend.write(user, note("storm")))
        await backend.turned_away(user, held)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        assert await backend.holdable(user) == held
    await backend.write(user, note("harvest"))
    assert await backend.store.read(user) == [note("grace"), note("harvest")]


async def test_many_writers_take_turns(backend: Backend, user: UserId) -> None:
    """Eight edits at once, each beside a note of its own: no note is lost, one edition stands."""
    editions = [note("grace", f"Edition {i}. " + "Words follow. " * i) for i in range(8)]
    own = library(8)
    await asyncio.gather(
        *(backend.write(user, *pair) for pair in zip(editions, own, strict=True)),
    )
    kept, *others = await backend.store.read(user)
    assert kept in editions
    assert others == own
    assert await backend.found(user, "edition", k=20) != []
    assert sorted(backend.board.told) == ["announced"] * 8 + ["confirmed"] * 8


# The board


async def test_each_change_is_announced_before_it_stands_and_confirmed_after(
    backend: Backend, user: UserId
) -> None:
    changes: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: backend.write(user, note("grace"), note("storm")),
        lambda: backend.store.delete(user, "grace"),
        lambda: backend.re_embed(user, note("storm")),
    )
    for change in changes:
        backend.board.seen.clear()
        await change()
        epoch = await backend.epochs.epoch(user)
        assert backend.board.seen == [("announced", epoch, False), ("confirmed", epoch, True)]


async def test_a_change_that_could_not_be_announced_stands_and_is_not_confirmed(
    backend: Backend, user: UserId
) -> None:
    async def only_waited() -> bool:
        return False

    backend.board.announcing = only_waited
    await backend.write(user, note("grace"))
    assert backend.board.seen == [("announced", await backend.epochs.epoch(user), False)]
    assert await backend.store.read(user) == [note("grace")]


async def test_a_refused_change_is_never_confirmed(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    with pytest.raises(EmbedderMismatch):
        await backend.write(user, note("storm"), embedder=OTHER_DIGEST)
    assert not await backend.re_embed(user, note("storm"))
    assert backend.board.told.count("confirmed") == 1


async def test_an_error_of_the_board_leaves_everything_as_it_was(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    async def breaking() -> bool:
        raise BoardBroke

    await backend.write(user, note("grace"))
    before = await backend.state(user)
    backend.board.announcing = breaking
    with pytest.raises(BoardBroke):
        await backend.write(user, note("grace", "Another body."), note("storm"))
    with pytest.raises(BoardBroke):
        await backend.store.delete(user, "grace")
    with pytest.raises(BoardBroke):
        await backend.re_embed(user, note("grace"))
    with pytest.raises(BoardBroke):
        await backend.write(other_user, note("grace"))
    assert await backend.state(user) == before
    assert await backend.epochs.epoch(other_user) is None
    assert await backend.holdable(user) == before[-1]
    assert backend.board.told.count("confirmed") == 1
