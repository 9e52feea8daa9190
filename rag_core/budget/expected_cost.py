"""What a call will probably cost: learned from what the same model wrote of late."""

from __future__ import annotations

from collections import deque

from rag_core.budget.money import Nano, price
from rag_core.domain.completion import Generator
from rag_core.domain.cost import Usage

RECENT = 200
"""Calls of a model that are remembered; chosen."""

ENOUGH = 20
"""Calls from which on they are believed; before, a call is expected to cost the most it can."""

QUANTILE = 0.95
"""Of the recent outputs, how many a call is expected not to exceed."""


class ExpectedCosts:
    """The sizes of holds, for each provider and model."""

    def __init__(self) -> None:
        self._outputs: dict[tuple[str, str], deque[int]] = {}

    def learn(self, provider: str, model: str, output_tokens: int) -> None:
        """A call of that model wrote so many tokens."""
        outputs = self._outputs.setdefault((provider, model), deque(maxlen=RECENT))
        outputs.append(output_tokens)

    def expected(self, generator: Generator, prompt_tokens: int, max_tokens: int) -> Nano:
        """What the call costs in 95 of 100 cases, and never more than `worst`."""
        outputs = sorted(self._outputs.get((generator.name, generator.model), ()))
        if len(outputs) >= ENOUGH:
            max_tokens = min(max_tokens, outputs[int(QUANTILE * (len(outputs) - 1))])
        return worst(generator, prompt_tokens, max_tokens)


def worst(generator: Generator, prompt_tokens: int, max_tokens: int) -> Nano:
    """What the call costs if the model writes as much as it may."""
    return price(generator.prices, Usage(prompt_tokens, max_tokens))
