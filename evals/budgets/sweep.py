"""Asking questions at every setting, and scoring what comes back."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    MEASURES,
    MS,
    RIGHT,
    TOKENS_IN,
    TOKENS_OUT,
    USD,
    Outcomes,
)
from evals.budgets.scoring import facts_in_context, facts_stated, right_abstention
from evals.budgets.stages import Reply, Stages
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.measures.support import SupportChecker
from evals.measures.vectors import Vectors
from rag_core.domain import FREE, Prices, Tokenizer, Usage
from rag_core.errors import InvalidInput


@dataclass
class Purse:
    """What generating may cost, in US dollars, and what it has cost so far.

    Raises:
        InvalidInput: `max_usd` is negative or no number.
    """

    prices: Prices
    max_usd: float
    spent_usd: float = 0.0

    def __post_init__(self) -> None:
        if not self.max_usd >= 0:
            raise InvalidInput("max_usd", f"must be a number of at least 0, got {self.max_usd!r}")

    def allows(self, usd: float) -> bool:
        """Whether so many dollars more may be spent."""
        return self.prices == FREE or self.spent_usd + usd <= self.max_usd


@dataclass
class Sweep:
    """Asks and scores; answers are priced by `prices`, whoever wrote them.

    Settings nearest to the current one are generated first, as long as the purse allows.
    """

    stages: Stages
    golden: GoldenSet
    vectors: Vectors
    checker: SupportChecker
    """What judges whether an answer states a fact."""
    tokenizer: Tokenizer
    prices: Prices
    purse: Purse
    _stated: dict[tuple[str, str], float] = field(default_factory=dict)

    async def run(
        self,
        questions: Sequence[GoldenQuestion],
        settings: Sequence[BudgetSetting],
        *,
        seed: int = 0,
        progress: Callable[[], object] = lambda: None,
    ) -> Outcomes:
        """Every measure of every question at every setting; `progress` is called after each."""
        shape = (len(settings), len(questions))
        values = {name: np.full(shape, np.nan, dtype=np.float64) for name in MEASURES}
        failed = 0
        order = sorted(range(len(settings)), key=lambda place: _distance(settings, place))
        for place in order:
            generate = await self._affordable(questions, settings[place])
            ask = self._replied if generate else self._found
            for column, question in enumerate(questions):
                reply = await ask(question, settings[place])
                failed += generate and reply.answer is None
                row = await self._scores(question, reply, generated=generate)
                for name, value in row.items():
                    values[name][place, column] = value
            progress()
        return Outcomes(settings, questions, values, failed, seed)

    async def _affordable(
        self, questions: Sequence[GoldenQuestion], setting: BudgetSetting
    ) -> bool:
        """Whether the purse allows to generate what is not known, every answer a longest one."""
        if self.purse.prices == FREE:
            return True
        usd = 0.0
        for question in questions:
            context = (await self.stages.context(question, setting)).value
            if not self.stages.answered(question, setting, context):
                tokens_in = self._prompt_tokens(question, Reply(context, None, math.nan))
                most = Usage(tokens_in, setting.output_tokens)
                usd += self.purse.prices.cost_usd(most)
        return self.purse.allows(usd)

    async def _replied(self, question: GoldenQuestion, setting: BudgetSetting) -> Reply:
        context = (await self.stages.context(question, setting)).value
        known = self.stages.answered(question, setting, context)
        reply = await self.stages.ask(question, setting)
        if reply.answer is not None and not known:
            self.purse.spent_usd += reply.answer.cost_usd
        return reply

    async def _found(self, question: GoldenQuestion, setting: BudgetSetting) -> Reply:
        context = await self.stages.context(question, setting)
        return Reply(context.value, None, math.nan, "not generated")

    async def _scores(
        self, question: GoldenQuestion, reply: Reply, *, generated: bool
    ) -> dict[str, float]:
        found = facts_in_context(question, reply.context, self.golden)
        if reply.answer is None:
            tokens_in = math.nan if generated else self._prompt_tokens(question, reply)
            return {FACTS_IN_CONTEXT: found, TOKENS_IN: tokens_in}
        usage = reply.answer.usage
        return {
            FACTS_IN_CONTEXT: found,
            FACTS_STATED: await self._facts_stated(question, reply),
            RIGHT: right_abstention(question, reply),
            TOKENS_IN: usage.input_tokens,
            TOKENS_OUT: usage.output_tokens,
            USD: self.prices.cost_usd(usage),
            MS: reply.ms,
        }

    async def _facts_stated(self, question: GoldenQuestion, reply: Reply) -> float:
        key = (question.id, reply.answer.text if reply.answer else "")
        if key not in self._stated:
            self._stated[key] = await facts_stated(question, reply, self.checker, self.vectors)
        return self._stated[key]

    def _prompt_tokens(self, question: GoldenQuestion, reply: Reply) -> int:
        if not reply.context:
            return 0
        messages = self.stages.prompt(question, reply.context).messages
        return sum(self.tokenizer.count(message.content) for message in messages)


def _distance(settings: Sequence[BudgetSetting], place: int) -> tuple[int, int]:
    return len(settings[place].differs_in(settings[0])), place
