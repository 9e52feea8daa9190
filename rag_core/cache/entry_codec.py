"""Entries as bytes: versioned, so that another version's entry is a miss and not an error."""

from __future__ import annotations

import msgspec

from rag_core.answer import Answer
from rag_core.cache.answers import Entry

VERSION = b"\x01"
"""Raise it whenever Entry or Answer change their fields."""

# The last: maps in maps in maps.
_GARBAGE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_encoder = msgspec.msgpack.Encoder()
_entries = msgspec.msgpack.Decoder(Entry)
_answers = msgspec.msgpack.Decoder(Answer)


def encode(item: Entry | Answer) -> bytes:
    """MessagePack behind a version byte."""
    return VERSION + _encoder.encode(item)


def decode_entry(value: bytes | None) -> Entry | None:
    """The entry, or None for nothing, another version or garbage."""
    if not value or value[:1] != VERSION:
        return None
    try:
        return _entries.decode(memoryview(value)[1:])
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
