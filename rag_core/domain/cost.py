"""Tokens that a generator reads and writes, and their price in US dollars."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rag_core.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens that went into and came out of a generator."""

    input_tokens: int = 0
    output_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input_tokens + other.input_tokens, self.output_tokens + other.output_tokens
        )


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True)
class Prices:
    """US dollars for one token in and one token out."""

    input_usd: float = 0.0000002
    output_usd: float = 0.0000006

    def __post_init__(self) -> None:
        for name, value in (("input", self.input_usd), ("output", self.output_usd)):
            if not 0 <= value < math.inf:
                raise ConfigurationError(
                    f"RAG_PRICE_{name.upper()}_USD", f"must be in [0, inf), got {value!r}"
                )

    def cost_usd(self, usage: Usage) -> float:
        """The price of `usage` in US dollars."""
        return usage.input_tokens * self.input_usd + usage.output_tokens * self.output_usd


FREE = Prices(0.0, 0.0)
