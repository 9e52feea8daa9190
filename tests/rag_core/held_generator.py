"""A generator that says each piece when a test tells it to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rag_core.domain import Completion, Prices, Prompt, Usage
from rag_core.errors import RagError
from tests.rag_core.embedded.processes import eventually

USAGE = Usage(100, 10)

_Said = asyncio.Queue[str | RagError | None]


class HeldGenerator:
    """Every call waits for what it shall `say`, until it shall `end` or `fail`."""

    name, model, prices = "held", "held-v1", Prices()

    def __init__(self) -> None:
        self.prompts: list[Prompt] = []
        self.open = 0
        """Calls that have begun and not ended."""
        self._said: list[_Said] = []

    @property
    def calls(self) -> int:
        """How often it was asked."""
        return len(self.prompts)

    async def asked(self, times: int = 1) -> None:
        """Return once it has been asked so often."""
        await eventually(lambda: self.calls >= times)

    def say(self, *pieces: str, call: int = -1) -> None:
        for piece in pieces:
            self._said[call].put_nowait(piece)

    def end(self, *, call: int = -1) -> None:
        self._said[call].put_nowait(None)

    def fail(self, error: RagError, *, call: int = -1) -> None:
        self._said[call].put_nowait(error)

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        pieces = [piece async for piece in self.stream(prompt, max_tokens=max_tokens)]
        completion = pieces[-1]
        assert isinstance(completion, Completion)
        return completion

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        said, text = _Said(), ""
        self._said.append(said)
        self.prompts.append(prompt)
        self.open += 1
        try:
            while (piece := await said.get()) is not None:
                if isinstance(piece, RagError):
                    raise piece
                text += piece
                yield piece
            yield Completion(text, USAGE, self.model)
        finally:
            self.open -= 1
