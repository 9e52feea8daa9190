"""What every source of epochs does, in memory as in Postgres."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.domain import UserId
from rag_core.errors import EmbedderMismatch
from tests.rag_core.adapters.note_backend import OTHER_DIGEST, Backend
from tests.rag_core.library import library, note


async def test_every_change_makes_a_new_epoch_and_reading_makes_none(
    backend: Backend, user: UserId
) -> None:
    epochs = [await backend.epochs.epoch(user)]
    await backend.write(user, note("grace"), note("storm"))
    epochs.append(await backend.epochs.epoch(user))
    await backend.found(user, "grace")
    await backend.state(user)
    assert await backend.epochs.epoch(user) == epochs[-1]
    await backend.write(user, note("grace"))
    epochs.append(await backend.epochs.epoch(user))
    await backend.store.delete(user, "grace")
    epochs.append(await backend.epochs.epoch(user))
    await backend.re_embed(user, note("storm"))
    epochs.append(await backend.epochs.epoch(user))
    assert epochs[0] is None
    assert len(set(epochs)) == 5


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


async def test_a_refused_change_leaves_the_epoch(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    before = await backend.epochs.epoch(user)
    with pytest.raises(EmbedderMismatch):
        await backend.write(user, note("storm"), embedder=OTHER_DIGEST)
    assert not await backend.re_embed(user, note("storm"))
    assert not await backend.store.delete(user, "storm")
    assert await backend.epochs.epoch(user) == before


async def test_many_users_are_read_at_once(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    await backend.write(user, note("grace"))
    alone = await backend.epochs.epoch(user)
    found = await asyncio.gather(*(backend.epochs.epoch(u) for u in (user, other_user, user)))
    assert found == [alone, None, alone]
