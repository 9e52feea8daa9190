"""The context cache: bounded in bytes and in time."""

from __future__ import annotations

import weakref

import pytest

from rag_core.cache import ContextCache, context_bytes
from rag_core.clock import ManualClock
from rag_core.domain import Context
from tests.rag_core.cache.parts import context, hit


def sized(letter: str = "a", characters: int = 10_000) -> Context:
    return context(hit(letter * characters))


def cache_of(contexts: int, clock: ManualClock, *, ttl_s: float = 3600) -> ContextCache:
    """Room for so many contexts of `sized`."""
    room = contexts * context_bytes(sized()) + context_bytes(sized()) // 2
    return ContextCache(clock=clock, max_bytes=room, ttl_s=ttl_s)


def found(cache: ContextCache, *keys: str) -> list[str]:
    """Which of the keys are there."""
    cache.expire()
    return [key for key in keys if cache.get(key) is not None]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_context_comes_back_as_it_is(clock: ManualClock) -> None:
    cache, kept = cache_of(1, clock), sized()
    cache.put("one", kept)
    assert cache.get("one") is kept
    assert cache.get("two") is None


def test_the_least_recently_used_makes_room(clock: ManualClock) -> None:
    cache = cache_of(3, clock)
    for key in ("one", "two", "three"):
        cache.put(key, sized())
    assert cache.get("one")
    cache.put("four", sized())
    assert found(cache, "one", "two", "three", "four") == ["one", "three", "four"]


def test_room_is_counted_in_bytes_not_in_contexts(clock: ManualClock) -> None:
    cache = cache_of(3, clock)
    for key in ("one", "two", "three"):
        cache.put(key, sized())
    cache.put("large", sized(characters=24_000))
    assert found(cache, "one", "two", "three", "large") == ["three", "large"]
    for number in range(50):
        cache.put(f"small {number}", context())
    assert len(found(cache, *(f"small {number}" for number in range(50)))) > 5


def test_wide_characters_take_more_room(clock: ManualClock) -> None:
    cache = cache_of(5, clock)
    cache.put("latin", sized())
    cache.put("cyrillic", sized("ж"))
    assert found(cache, "latin", "cyrillic") == ["latin", "cyrillic"]
    cache.put("emoji", sized("🕊"))
    assert found(cache, "latin", "cyrillic", "emoji") == ["emoji"]


def test_a_context_larger_than_the_cache_is_refused_and_pushes_nothing_out(
    clock: ManualClock,
) -> None:
    cache = cache_of(2, clock)
    cache.put("one", sized())
    cache.put("huge", sized(characters=60_000))
    assert found(cache, "one", "huge") == ["one"]


def test_a_cache_of_no_bytes_keeps_nothing(clock: ManualClock) -> None:
    cache = ContextCache(clock=clock, max_bytes=0)
    cache.put("one", Context())
    assert cache.get("one") is None
    assert cache.size().entries == 0


def test_a_context_is_gone_when_its_time_is_up(clock: ManualClock) -> None:
    cache = cache_of(2, clock, ttl_s=60)
    cache.put("one", sized())
    clock.advance(59)
    cache.put("two", sized())
    assert found(cache, "one", "two") == ["one", "two"]
    clock.advance(1)
    assert found(cache, "one", "two") == ["two"]
    assert cache.size().entries == 1
    clock.advance(59)
    assert found(cache, "two") == []


def test_using_a_context_does_not_lengthen_its_time_but_putting_it_again_does(
    clock: ManualClock,
) -> None:
    cache = cache_of(2, clock, ttl_s=60)
    cache.put("put again", sized())
    cache.put("used", sized())
    clock.advance(30)
    assert found(cache, "used", "put again") == ["used", "put again"]
    cache.put("put again", sized())
    clock.advance(30)
    assert found(cache, "used", "put again") == ["put again"]


def test_size_says_how_much_is_held(clock: ManualClock) -> None:
    cache = cache_of(3, clock)
    cache.put("one", sized())
    cache.put("two", sized())
    cache.put("two", sized())
    size = cache.size()
    assert (size.entries, size.size_bytes) == (2, 2 * context_bytes(sized()))


def test_what_had_to_make_room_is_forgotten_altogether(clock: ManualClock) -> None:
    """Many more contexts than there is room for leave no trace of themselves."""

    class Key(str):
        """Says by a weak reference whether anybody remembers it."""

    cache, keys = cache_of(2, clock), []
    for number in range(2_000):
        key = Key(f"context {number}")
        cache.put(key, sized())
        keys.append(weakref.ref(key))
    del key
    assert sum(key() is not None for key in keys) < 200
    assert found(cache, "context 1998", "context 1999") == ["context 1998", "context 1999"]
    clock.advance(3600)
    assert found(cache, "context 1998", "context 1999") == []
