"""A generator that leaks the canary of its prompt."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from rag_core.domain import Completion, Prices, Prompt, Usage
from tests.rag_core.scene import ANSWER


class LeakingGenerator:
    """Says the canary of the prompt it got, once; then it behaves."""

    name, model, prices = "leaking", "leaking-v1", Prices()

    def __init__(self) -> None:
        self.calls = 0

    def _text(self, prompt: Prompt) -> str:
        self.calls += 1
        return f"My marker is {prompt.canary.upper()} [1]." if self.calls == 1 else ANSWER

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        return Completion(self._text(prompt), Usage(100, 10), self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        text = self._text(prompt)
        for character in text:
            yield character
        yield Completion(text, Usage(100, 10), self.model)
