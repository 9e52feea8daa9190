"""What asking a judge costs: its answers kept on disk by content, its spending capped."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rag_core.domain import Prices, Usage
from rag_core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class JudgeReply:
    """What a judge said, and the tokens it took."""

    text: str
    usage: Usage


class JudgeCache:
    """Replies in `folder`, a file each, named after the SHA-256 of the whole request.

    Whatever changes the request (server, model, prompt, temperature) asks again. Safe to share
    between processes: files appear whole or not at all. A file that cannot be read is a miss.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, request: dict[str, object]) -> JudgeReply | None:
        """The reply to the same request, if there was one."""
        try:
            entry = json.loads(self._file(request).read_bytes())
            return JudgeReply(
                str(entry["text"]), Usage(int(entry["input_tokens"]), int(entry["output_tokens"]))
            )
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):  # cut short, or not ours
            return None

    def put(self, request: dict[str, object], reply: JudgeReply) -> None:
        """Keep the reply; what stands there is replaced."""
        file = self._file(request)
        file.parent.mkdir(parents=True, exist_ok=True)
        entry = {
            "request": request,
            "text": reply.text,
            "input_tokens": reply.usage.input_tokens,
            "output_tokens": reply.usage.output_tokens,
        }
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, suffix=".part", delete=False
        ) as part:
            json.dump(entry, part, ensure_ascii=False)
        os.replace(part.name, file)

    def _file(self, request: dict[str, object]) -> Path:
        content = json.dumps(request, sort_keys=True, ensure_ascii=False)
        digest = hashlib.sha256(content.encode()).hexdigest()
        return self._folder / digest[:2] / f"{digest}.json"


class BudgetSpent(Exception):
    """The next call could cost more than is left of the judge's budget."""

    def __init__(self, max_usd: float) -> None:
        self.max_usd = max_usd
        super().__init__(f"judge budget of ${max_usd:g} spent")


class JudgeBudget:
    """Dollars that a judge may spend: reserved before a call, settled after it.

    Raises:
        InvalidInput: `max_usd` is negative or no number.
    """

    def __init__(self, max_usd: float, prices: Prices) -> None:
        if not max_usd >= 0:
            raise InvalidInput("--max-usd", f"must be a number of at least 0, got {max_usd!r}")
        self.max_usd, self.prices = max_usd, prices
        self.spent_usd = 0.0
        self._reserved_usd = 0.0

    def reserve(self, most: Usage) -> float:
        """Set the price of `most` aside and return it, in dollars.

        Raises:
            BudgetSpent: so much is not left.
        """
        usd = self.prices.cost_usd(most)
        if self.spent_usd + self._reserved_usd + usd > self.max_usd:
            raise BudgetSpent(self.max_usd)
        self._reserved_usd += usd
        return usd

    def settle(self, reserved_usd: float, used: Usage) -> None:
        """Book what a reserved call really used; `NO_USAGE` when it never reached the judge."""
        self._reserved_usd -= reserved_usd
        self.spent_usd += self.prices.cost_usd(used)
