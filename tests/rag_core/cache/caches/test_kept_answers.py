"""Answers: which are kept, and which are served once more or fallen back on."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from rag_core import events
from rag_core.cache import Epoch
from rag_core.clock import ManualClock
from rag_core.domain import Provenance
from rag_core.events import CacheLookedUp
from tests.rag_core.cache.caches.lookups import NOW, USER, caches_of, look_up
from tests.rag_core.cache.parts import ANSWER, KnownEpochs, cached_answer


async def test_an_answer_is_kept_with_the_epoch_of_its_lookup(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    """Read before its evidence was retrieved; never with a later one."""
    caches = caches_of(clock, epochs=epochs)
    lookup = await look_up(caches)
    epochs.epochs[USER] = Epoch("later")
    await caches.put(lookup, ANSWER, 3500.0)
    found = await look_up(caches)
    assert found.cached is not None
    assert (found.cached.epoch, found.cached.took_ms, found.epoch) == ("now", 3500.0, "later")


async def test_without_an_epoch_nothing_is_kept(clock: ManualClock) -> None:
    caches = caches_of(clock)
    await caches.put(replace(NOW, epoch=None), ANSWER, 0)
    assert await look_up(caches) == replace(NOW, epoch=None)


async def test_a_refusal_is_not_kept(clock: ManualClock, epochs: KnownEpochs) -> None:
    caches = caches_of(clock, epochs=epochs)
    await caches.put(NOW, structs.replace(ANSWER, provenance=Provenance.REFUSED), 0)
    assert (await look_up(caches)).cached is None


async def test_what_stands_is_served_once_more_under_the_epoch_that_was_read(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    caches, old = caches_of(clock, epochs=epochs), cached_answer(clock, "old")
    clock.advance(10)
    given = await caches.revalidate(replace(NOW, cached=old), old.answer.evidence)
    assert given is not None
    assert (given.text, given.provenance) == (old.answer.text, Provenance.REVALIDATED)
    found = await look_up(caches)
    assert found.cached is not None
    assert found.cached.epoch == "now"
    assert found.cached.soft_expires_at == old.soft_expires_at
    assert found.cached.hard_expires_at == old.hard_expires_at
    assert caches.serve(found) is not None
    clock.advance(290)
    assert caches.serve(found) is None, "its soft TTL has ended"


async def test_what_rests_on_other_evidence_or_is_not_there_is_a_miss(
    clock: ManualClock, epochs: KnownEpochs
) -> None:
    heard: list[events.Event] = []
    caches = caches_of(clock, epochs=epochs, listener=heard.append)
    for cached in (None, cached_answer(clock, "old")):
        assert await caches.revalidate(replace(NOW, cached=cached), "other evidence") is None
    assert (await look_up(caches)).cached is None
    assert heard == [CacheLookedUp("answer", "miss")] * 2


async def test_only_what_is_past_its_soft_ttl_and_stands_is_fallen_back_on(
    clock: ManualClock,
) -> None:
    caches, old = caches_of(clock), cached_answer(clock, "old")
    lookup, evidence = replace(NOW, cached=old), old.answer.evidence
    assert caches.fall_back(lookup, evidence) is None, "it is fresh"
    clock.advance(300)
    assert caches.fall_back(lookup, "other evidence") is None
    given = caches.fall_back(lookup, evidence)
    assert given is not None
    assert given.provenance is Provenance.STALE
