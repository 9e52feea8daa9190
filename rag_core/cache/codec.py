"""Answers as bytes: versioned, so that another version's entry is a miss and not an error."""

from __future__ import annotations

import msgspec

from rag_core.cache.answers import CachedAnswer
from rag_core.domain.answer import Answer

VERSION = b"\x02"
"""Raise it whenever CachedAnswer or Answer change their fields."""

# The last: maps in maps in maps.
_GARBAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.msgpack.Encoder()
_cached = msgspec.msgpack.Decoder(CachedAnswer)
_answers = msgspec.msgpack.Decoder(Answer)


def encode(item: CachedAnswer | Answer) -> bytes:
    """MessagePack behind a version byte."""
    return VERSION + _encoder.encode(item)


def decode_cached(value: bytes | None) -> CachedAnswer | None:
    """The cached answer, or None for nothing, another version or garbage."""
    if not value or value[:1] != VERSION:
        return None
    try:
        return _cached.decode(memoryview(value)[1:])
    except _GARBAGE:
        return None


def decode_answer(value: bytes) -> Answer | None:
    """The answer, or None for another version or garbage."""
    if value[:1] != VERSION:
        return None
    try:
        return _answers.decode(memoryview(value)[1:])
    except _GARBAGE:
        return None
