"""The fake generator: says what a script tells it to, faults included."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_core.domain.completion import Completion
from rag_core.domain.cost import Prices, Usage
from rag_core.errors import RagError

if TYPE_CHECKING:
    from rag_core.clock import Clock
    from rag_core.domain.prompt import Prompt

_PIECE = re.compile(r"\s*\S+\s*$|\s*\S+")


@dataclass(frozen=True, slots=True)
class Interrupted:
    """A stream that breaks with `error` after `text`; without streaming, only the error."""

    text: str
    error: RagError


ScriptItem = str | RagError | Interrupted


class ScriptedGenerator:
    """Gives the outcomes of `script` in turn: texts, errors, interrupted streams.

    Each call takes `latency_s` of `clock`; a word counts as a token. Endless scripts are welcome
    (`itertools.repeat`); a call after the last line of one that ends raises RuntimeError.
    """

    def __init__(
        self,
        script: Iterable[ScriptItem],
        *,
        name: str = "scripted",
        model: str = "scripted-v1",
        prices: Prices | None = None,
        clock: Clock | None = None,
        latency_s: float = 0.0,
    ) -> None:
        if latency_s < 0 or (latency_s and clock is None):
            raise ValueError(f"latency_s needs a clock and must be >= 0, got {latency_s!r}")
        self.name, self.model = name, model
        self.prices = prices or Prices()
        self.prompts: list[Prompt] = []
        self._script = iter(script)
        self._clock, self._latency_s = clock, latency_s

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.prompts)

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """The next line of the script, cut to `max_tokens` words, or its error."""
        outcome = await self._next(prompt)
        if isinstance(outcome, Interrupted):
            raise outcome.error
        return self._completion(prompt, outcome, max_tokens)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """The next line of the script word by word, and the whole Completion last."""
        outcome = await self._next(prompt)
        text = outcome.text if isinstance(outcome, Interrupted) else outcome
        completion = self._completion(prompt, text, max_tokens)
        for piece in _PIECE.findall(completion.text):
            yield piece
        if isinstance(outcome, Interrupted):
            raise outcome.error
        yield completion

    async def _next(self, prompt: Prompt) -> str | Interrupted:
        self.prompts.append(prompt)
        if self._clock is not None:
            await self._clock.sleep(self._latency_s)
        outcome = next(self._script, None)
        if outcome is None:
            raise RuntimeError(f"the script has no line for call {self.calls}")
        if isinstance(outcome, RagError):
            raise outcome
        return outcome

    def _completion(self, prompt: Prompt, text: str, max_tokens: int) -> Completion:
        pieces = _PIECE.findall(text)
        kept = "".join(pieces[:max_tokens]) if len(pieces) > max_tokens else text
        sent = sum(len(turn.content.split()) for turn in prompt.messages)
        usage = Usage(sent, len(kept.split()))
        return Completion(kept, usage, self.model, "stop" if kept == text else "length")
