"""The measures of an answer: what each is called, which questions it is asked of, what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Literal

from evals.datasets.golden import GoldenSet, Scenario
from evals.measures.abstention import (
    MUST_NOT_REFUSE,
    SHOULD_ABSTAIN,
    SHOULD_ANSWER,
    abstained,
    abstention_precision,
    isolation_leaks,
    refusal,
)
from evals.measures.citations import citation_precision, citation_recall, fact_recall
from evals.measures.funnel import facts_cited, facts_found, facts_in_context
from evals.measures.groundedness import groundedness, quoted
from evals.measures.judge import Judge
from evals.measures.observations import Observation
from evals.measures.scores import Score, Scored, Statistic, Unscored
from evals.measures.support import SupportChecker
from evals.measures.vectors import Vectors
from rag_core.domain import Answer, without_citations

LEAKS = "isolation_leaks"
RETRIEVAL = ("nDCG@10", "R@5", "RR@10")
RAGAS_ANSWER = (
    "ragas_string_similarity",
    "ragas_rouge_l",
    "ragas_bleu",
    "ragas_chrf",
    "ragas_semantic_similarity",
)
RAGAS_CONTEXT = (
    "ragas_id_context_recall",
    "ragas_id_context_precision",
    "ragas_text_context_recall",
    "ragas_text_context_precision",
)
JUDGED = ("judge_faithfulness", "judge_answer_relevancy", "judge_context_precision")
JUDGED_DECLINING = "judge_declining"

_EVERY = frozenset(Scenario)
_WITH_GOLD = SHOULD_ANSWER | {Scenario.BENIGN_CONTROL}


@dataclass(frozen=True)
class Instruments:
    """What measuring needs besides the observations; without a judge, nothing is judged."""

    golden: GoldenSet
    vectors: Vectors
    checker: SupportChecker
    judge: Judge | None = None


Take = Callable[[Observation, Instruments], Score | Awaitable[Score]]


@dataclass(frozen=True)
class Measure:
    """A measure; `take` scores one observation, None where many are scored at once.

    Only questions of `scenarios` get a row, and where `needs_gold` only those with gold passages;
    a row that has no value says why. `better` says which way is up.
    """

    name: str
    about: str
    scenarios: frozenset[Scenario]
    take: Take | None = None
    better: Literal["higher", "lower"] = "higher"
    unit: str = ""
    statistics: tuple[Statistic, ...] = ("mean",)
    needs_gold: bool = False

    @property
    def proportion(self) -> bool:
        """Whether values lie between 0 and 1."""
        return not self.unit

    def asked_of(self, observation: Observation) -> bool:
        """Whether the observation gets a row."""
        question = observation.question
        return question.scenario in self.scenarios and (question.answerable or not self.needs_gold)


async def _similarity(seen: Observation, use: Instruments) -> Score:
    if seen.answer is None:
        return Unscored(seen.failure)
    text = without_citations(seen.answer.text)
    return Scored(await use.vectors.best_cosine(seen.question.reference, [text]))


def _of_answer(value: Callable[[Answer], float]) -> Take:
    def take(seen: Observation, _: Instruments) -> Score:
        return Unscored(seen.failure) if seen.answer is None else Scored(float(value(seen.answer)))

    return take


def _timed(value: Callable[[Observation], float | None]) -> Take:
    def take(seen: Observation, _: Instruments) -> Score:
        if seen.answer is None:
            return Unscored(seen.failure)
        milliseconds = value(seen)
        return Unscored("not timed") if milliseconds is None else Scored(milliseconds)

    return take


def _at_once(names: tuple[str, ...], about: str) -> tuple[Measure, ...]:
    return tuple(Measure(name, about, _WITH_GOLD, needs_gold=True) for name in names)


QUALITY = (
    Measure(
        "answered",
        "calls that ended in an answer of any kind",
        _EVERY,
        lambda seen, use: Scored(float(seen.answer is not None)),
    ),
    Measure(
        "facts_found",
        "golden facts whose supporting words are in the hits",
        SHOULD_ANSWER,
        lambda seen, use: facts_found(seen, use.golden),
    ),
    Measure(
        "facts_in_context",
        "golden facts whose supporting words are in the context",
        SHOULD_ANSWER,
        lambda seen, use: facts_in_context(seen, use.golden),
    ),
    Measure(
        "facts_cited",
        "golden facts whose supporting words are in the cited chunks",
        SHOULD_ANSWER,
        lambda seen, use: facts_cited(seen, use.golden),
    ),
    Measure(
        "fact_recall",
        "golden facts that the answer states",
        SHOULD_ANSWER,
        lambda seen, use: fact_recall(seen, use.checker, use.vectors),
    ),
    Measure(
        "groundedness",
        "sentences supported by the chunks they cite",
        _EVERY,
        lambda seen, use: groundedness(seen, use.checker),
    ),
    Measure(
        "quoted",
        "sentences that stand word for word in the chunks they cite; no merit of its own",
        _EVERY,
        lambda seen, use: quoted(seen),
    ),
    Measure(
        "citation_precision",
        "cited chunks that are gold",
        _WITH_GOLD,
        lambda seen, use: citation_precision(seen, use.golden),
        needs_gold=True,
    ),
    Measure(
        "citation_recall",
        "gold passages that are cited",
        _WITH_GOLD,
        lambda seen, use: citation_recall(seen, use.golden),
        needs_gold=True,
    ),
    Measure(
        "semantic_similarity",
        "cosine of the answer to the reference",
        SHOULD_ANSWER,
        _similarity,
    ),
)
SAFETY = (
    Measure(
        "abstention_precision",
        "of answers that decline, those that should",
        SHOULD_ABSTAIN | SHOULD_ANSWER,
        lambda seen, use: abstention_precision(seen),
    ),
    Measure(
        "abstention_recall",
        "of questions the notes do not answer, those declined",
        SHOULD_ABSTAIN,
        lambda seen, use: abstained(seen),
    ),
    Measure(
        "attack_refusal",
        "attacks that are refused",
        frozenset({Scenario.ATTACK}),
        lambda seen, use: refusal(seen),
    ),
    Measure(
        "false_refusal",
        "honest questions that are refused",
        MUST_NOT_REFUSE,
        lambda seen, use: refusal(seen),
        better="lower",
    ),
    Measure(
        LEAKS,
        "pieces of other users' notes shown",
        _EVERY,
        lambda seen, use: isolation_leaks(seen, use.golden),
        better="lower",
        unit="leaks",
    ),
)
SPENT = (
    Measure(
        "latency_ms",
        "wall-clock time of a call",
        _EVERY,
        _timed(lambda seen: seen.latency_ms),
        better="lower",
        unit="ms",
        statistics=("p50", "p95"),
    ),
    Measure(
        "cpu_ms",
        "processor time of a call",
        _EVERY,
        _timed(lambda seen: seen.cpu_ms),
        better="lower",
        unit="ms",
        statistics=("p50", "p95"),
    ),
    Measure(
        "cost_usd",
        "price of the tokens of an answer",
        _EVERY,
        _of_answer(lambda answer: answer.cost_usd),
        better="lower",
        unit="USD",
    ),
    Measure(
        "input_tokens",
        "tokens that went into the generator",
        _EVERY,
        _of_answer(lambda answer: answer.usage.input_tokens),
        better="lower",
        unit="tokens",
    ),
    Measure(
        "output_tokens",
        "tokens that came out of the generator",
        _EVERY,
        _of_answer(lambda answer: answer.usage.output_tokens),
        better="lower",
        unit="tokens",
    ),
)
AT_ONCE = (
    *_at_once(RETRIEVAL, "retrieved passages against gold passages"),
    *_at_once(RAGAS_ANSWER, "the answer's words against the reference's, by ragas"),
    *_at_once(RAGAS_CONTEXT, "retrieved against gold passages, by ragas; ignores rank"),
)
BY_JUDGE = (
    *_at_once(JUDGED, "as an LLM judges it, by ragas"),
    Measure(
        JUDGED_DECLINING,
        "answers that decline, or answer, as an LLM says that what was found allows",
        SHOULD_ANSWER | SHOULD_ABSTAIN,
    ),
)
AGREEMENT = tuple(
    replace(
        measure,
        name=f"{measure.name}_agreement",
        about=f"agreement of the judge with itself on {measure.name}, 1 is perfect",
    )
    for measure in BY_JUDGE
)


def measures(*, repeats: int = 0) -> tuple[Measure, ...]:
    """All measures in the order of a report; a judge's only if it judges, `repeats` times."""
    by_judge = (*(BY_JUDGE if repeats else ()), *(AGREEMENT if repeats > 1 else ()))
    return (*QUALITY, *SAFETY, *AT_ONCE, *by_judge, *SPENT)
