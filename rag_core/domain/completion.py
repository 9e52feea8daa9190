"""Generators: whatever turns a prompt into text."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

from rag_core.domain.cost import Prices, Usage
from rag_core.domain.prompt import Prompt


@dataclass(frozen=True, slots=True)
class Completion:
    """What a generator returned."""

    text: str
    usage: Usage
    model: str
    finish_reason: str = "stop"
    """`stop`, or `length` when the output budget cut it off."""


class Generator(Protocol):
    """One way to answer a prompt; `name` and `model` go into the answer and its cache key."""

    name: str
    model: str
    prices: Prices

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """Answer `prompt` in at most `max_tokens` tokens.

        Raises:
            ProviderUnavailable: refused, cut, timed out or rate limited; may be retried.
            ProviderError: the provider answered, but not usefully.
        """
        ...

    def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncGenerator[str | Completion, None]:
        """Pieces of the text as they come, and the whole Completion last."""
        ...


@runtime_checkable
class TunableGenerator(Generator, Protocol):
    """A generator that can be asked otherwise for one answer."""

    def tuned(self, *, temperature: float | None, key: str | None) -> Self:
        """The same over the same connections, at another temperature, or paid for by another key.

        A temperature has no unit. With a key of somebody else's its prices are FREE: what it costs
        is not ours to pay. None leaves as it is.

        Raises:
            InvalidInput: that cannot be a key of this provider.
        """
        ...
