"""What a question may choose of how its answer is written, and what it may not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag_core.domain.options import AS_CONFIGURED, KEY_FIELD, Options
from rag_core.errors import InvalidInput

MAX_TEMPERATURE = 2.0
"""Of OpenAI-style servers; above 1 or so words come by chance."""

MIN_TOKENS = 8
"""Of an answer; the least that RAG_OUTPUT_TOKENS may be."""

_KEY = re.compile(r"[!-~]{8,512}")
_REFUSED = "are not taken here"
_LEAVE_OUT = "Leave them out; whoever runs the server allows them by RAG_ANSWER_OPTIONS"


@dataclass(frozen=True, slots=True)
class Writer:
    """A provider that can be chosen."""

    name: str
    model: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What may be chosen.

    Args:
        writers: whom one may choose from; none: nothing may be chosen.
        max_tokens: of an answer, at most, as it is configured.
        own_keys: whether a key of one's own may be sent.
    """

    writers: tuple[Writer, ...] = ()
    max_tokens: int = 0
    own_keys: bool = False

    def check(self, options: Options) -> None:
        """Raise where something was chosen that may not be.

        Raises:
            InvalidInput: names the field, and what it may be.
        """
        if options == AS_CONFIGURED:
            return
        if not self.writers:
            field = KEY_FIELD if options.key is not None else "options"
            raise InvalidInput(field, _REFUSED, _LEAVE_OUT)
        names = [writer.name for writer in self.writers]
        if options.provider is not None and options.provider not in names:
            raise InvalidInput("options.provider", "is none of those here", _one_of(names))
        heat, tokens = options.temperature, options.max_tokens
        if heat is not None and not 0 <= heat <= MAX_TEMPERATURE:
            fix = f"Give a number from 0 to {MAX_TEMPERATURE:g}"
            raise InvalidInput("options.temperature", "is out of bounds", fix)
        if tokens is not None and not MIN_TOKENS <= tokens <= self.max_tokens:
            fix = f"Give a whole number from {MIN_TOKENS} to {self.max_tokens}"
            raise InvalidInput("options.max_tokens", "is out of bounds", fix)
        if options.key is not None:
            self._check_key(options.provider, options.key)

    def _check_key(self, provider: str | None, key: str) -> None:
        """A key is for one provider, or it might be shown to another one."""
        if not self.own_keys:
            fix = "Leave it out; whoever runs the server allows it by RAG_OWN_PROVIDER_KEYS"
            raise InvalidInput(KEY_FIELD, "is not taken here", fix)
        if not _KEY.fullmatch(key):
            fix = "Send it as the provider gave it: 8 to 512 letters, digits and signs"
            raise InvalidInput(KEY_FIELD, "is no key", fix)
        if provider is None:
            fix = _one_of([writer.name for writer in self.writers])
            raise InvalidInput("options.provider", f"must say whose {KEY_FIELD} is", fix)


def _one_of(names: list[str]) -> str:
    return f"Give one of: {', '.join(names)}"
