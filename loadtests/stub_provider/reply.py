"""A call that came in, and the reply that is planned for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

_SOURCE = re.compile(r"^\[1\] [^\n]*\n(.+?)(?=\n\n\[2\] |\n</notes>|\Z)", re.DOTALL | re.MULTILINE)
_SENTENCE = re.compile(r".+?[.!?][\"'”’)]*(?=\s|$)", re.DOTALL)
_PIECE = re.compile(r"\s*\S+\s*$|\s*\S+")
DECLINING = "Your notes do not answer this."


class Turn(msgspec.Struct, frozen=True):
    """One turn of the chat."""

    role: str
    content: str


class StreamOptions(msgspec.Struct, frozen=True):
    """What a stream holds beside the text."""

    include_usage: bool = False


class Call(msgspec.Struct, frozen=True):
    """The body of POST /v1/chat/completions, as far as the stub reads it."""

    messages: Sequence[Turn]
    model: str = "stub"
    max_tokens: int | None = None
    stream: bool = False
    stream_options: StreamOptions | None = None

    @property
    def tokens(self) -> int:
        """How many tokens were sent; a word counts as one."""
        return sum(len(turn.content.split()) for turn in self.messages)

    @property
    def counts_in_stream(self) -> bool:
        """Whether the stream is to end with a chunk of the usage."""
        return self.stream_options is not None and self.stream_options.include_usage

    def quote(self) -> str | None:
        """The first sentence of the first numbered source; None without sources."""
        for turn in self.messages:
            if turn.role != "system" and (source := _SOURCE.search(turn.content)):
                text = " ".join(source[1].split())
                sentence = _SENTENCE.match(text)
                return sentence[0] if sentence else text
        return None

    def extract(self) -> str:
        """The quote with its citation, or that the notes hold no answer."""
        quote = self.quote()
        return f"{quote} [1]" if quote else DECLINING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is sent for one call, and how slowly."""

    text: str
    finish_reason: str = "stop"
    refusal: str | None = None
    """What OpenAI's `refusal` field says; the content is null beside it."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """Sent as it is, in place of the completion."""
    events: bytes | None = None
    """Sent as they are, in place of the stream's events."""
    first_token_s: float = 0.0
    per_token_s: float = 0.0
    cut_after: int | None = None
    """The connection is closed after so many tokens."""
    hangs: bool = False
    """Nothing is sent until the caller leaves."""

    def pieces(self, max_tokens: int | None) -> list[str]:
        """The text token by token, of which there are at most `max_tokens`."""
        return _PIECE.findall(self.text)[:max_tokens]

    def ended_by(self, max_tokens: int | None) -> str:
        """The finish reason, which is `length` where `max_tokens` cut the text off."""
        longer = max_tokens is not None and len(self.pieces(None)) > max_tokens
        return "length" if longer else self.finish_reason
