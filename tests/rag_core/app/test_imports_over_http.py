"""Large notes over HTTP: 202, and a status that any worker tells."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import LOST_AFTER_S, Note, Tokenizer, UserId
from rag_core.settings import Settings
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import connected, long_note

if TYPE_CHECKING:
    from rag_core.domain import Matrix

LARGE = Note("large", "A large note", long_note(200).body)


class HeldEmbedder(HashingEmbedder):
    """Embeds once it is let go."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> Matrix:
        await self.go.wait()
        return await super().embed(texts)


async def state_at(served: Served, location: str) -> str:
    return str((await served.client.get(location)).json()["state"])


async def test_a_large_note_is_stored_after_its_202_and_each_worker_says_how_far_it_is(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldEmbedder()
    async with (
        open_served(settings, user, tokenizer, embedder=held) as served,
        open_served(settings, user, tokenizer) as other_worker,
    ):
        reply = await served.put(LARGE)
        location = reply.headers["location"]
        assert (reply.status_code, reply.json()["state"]) == (202, "running")
        asked = await other_worker.client.get(location)
        assert (asked.json(), asked.headers["retry-after"]) == (reply.json(), "2")
        held.go.set()
        await _becomes(other_worker, location, "done")
        stored = await other_worker.client.get("/notes/large")
        assert stored.json()["version"] == reply.json()["version"]


async def test_of_a_worker_that_died_the_others_say_that_the_note_is_lost(
    settings: Settings, database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    """Its import stays as it is, and nobody hears of it any more."""
    async with open_served(settings, user, tokenizer, embedder=HeldEmbedder()) as served:
        location = (await served.put(LARGE)).headers["location"]
        assert await state_at(served, location) == "running"
        with connected(database_url) as connection:
            connection.execute(
                "UPDATE imports SET beat_at = beat_at - make_interval(secs => %s)"
                " WHERE user_id = %s",
                (LOST_AFTER_S + 1, user),
            )
        lost = (await served.client.get(location)).json()
        assert (lost["state"], lost["retryable"]) == ("lost", True)
        assert "send the note again" in lost["detail"]


async def test_conditions_hold_when_it_is_sent_and_when_it_is_stored(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    held = HeldEmbedder()
    async with (
        open_served(settings, user, tokenizer, embedder=held) as served,
        open_served(settings, user, tokenizer) as other_worker,
    ):
        assert (await served.put(LARGE, **{"if-match": "*"})).status_code == 412
        location = (await served.put(LARGE, **{"if-none-match": "*"})).headers["location"]
        await other_worker.put(Note("large", "", "A short text that came later."))
        held.go.set()
        await _becomes(served, location, "failed")
        failed = (await served.client.get(location)).json()
        assert (failed["code"], failed.get("retryable", False)) == ("precondition_failed", False)
        assert (await served.client.get("/notes/large")).json()["body"].startswith("A short text")


@pytest.mark.parametrize("import_id", ["nothing", "%00", "%FF", "x" * 500])
async def test_an_import_that_is_not_there_is_not_found(served: Served, import_id: str) -> None:
    assert (await served.client.get(f"/imports/{import_id}")).status_code == 404


async def test_an_import_is_its_users_alone(served: Served, other_user: UserId) -> None:
    location = (await served.put(LARGE)).headers["location"]
    other = {"x-test-user": other_user}
    assert (await served.client.get(location, headers=other)).status_code == 404
    await _becomes(served, location, "done")


async def _becomes(served: Served, location: str, state: str) -> None:
    async def is_so() -> bool:
        return await state_at(served, location) == state

    await eventually(is_so)
