"""Turns as bytes, the same for the same turn; another version's is no turn and not an error."""

from __future__ import annotations

import msgspec

from rag_core.conversation.sessions import Turn

VERSION = b"\x01"
"""Raise it whenever Turn changes its fields."""

_encoder = msgspec.msgpack.Encoder()
_turns = msgspec.msgpack.Decoder(Turn)


def encode_turn(turn: Turn) -> bytes:
    """MessagePack behind a version byte."""
    return VERSION + _encoder.encode(turn)


def decode_turn(value: bytes) -> Turn | None:
    """The turn, or None for another version or garbage."""
    if value[:1] != VERSION:
        return None
    try:
        return _turns.decode(memoryview(value)[1:])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
