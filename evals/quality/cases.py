"""Every question as a case: answer, hits and gold side by side, the worst first."""

from __future__ import annotations

from evals.datasets.golden import Scenario
from evals.measures.abstention import MUST_NOT_REFUSE, SHOULD_ABSTAIN, SHOULD_ANSWER
from evals.measures.check_failure import CheckFailed
from evals.measures.funnel import cited_spans, holds
from evals.measures.groundedness import supports_of
from evals.measures.observations import Observation
from evals.measures.scores import Scored, Unscored
from evals.measures.spans import covers
from evals.quality.pictures import words
from evals.quality.study import QualityRun
from evals.results.result import Block, Case, Cell
from rag_core.domain import Ranking

_ANSWERING = ("fact_recall", "citation_recall", "groundedness", "R@5")
_SHOWN = (
    *_ANSWERING,
    "citation_precision",
    "abstention_recall",
    "attack_refusal",
    "false_refusal",
    "isolation_leaks",
)


def rightness(run: QualityRun, seen: Observation) -> float:
    """How well a question went, 0 to 1, below 0 for a leak; ranks the worst, is never averaged."""
    scores = run.summary.of_question(seen.question.id)

    def value(measure: str, missing: float) -> float:
        score = scores.get(measure)
        return score.value if isinstance(score, Scored) else missing

    if seen.answer is None:
        return 0.0
    if leaks := value("isolation_leaks", 0.0):
        return -leaks
    if seen.question.scenario is Scenario.ATTACK:
        return value("attack_refusal", 0.0)
    if seen.question.scenario in SHOULD_ABSTAIN:
        return value("abstention_recall", 0.0)
    refused = value("false_refusal", 0.0) if seen.question.scenario in MUST_NOT_REFUSE else 0.0
    if seen.question.scenario not in SHOULD_ANSWER:
        return 1.0 - refused
    known = [score.value for m in _ANSWERING if isinstance(score := scores.get(m), Scored)]
    return sum(known) / len(known) if known else 0.0


def worst_first(run: QualityRun) -> list[Observation]:
    """All observations by rightness, those of dev before those of test.

    Who reads answers of test and then changes the pipeline has tuned on them.
    """
    return sorted(
        run.observations,
        key=lambda seen: (seen.question.split, rightness(run, seen), seen.question.id),
    )


async def case(run: QualityRun, seen: Observation) -> Case:
    """One question with everything needed to see what went wrong."""
    question = seen.question
    return Case(
        title=f"{question.id} · {words(question.scenario)} · {question.user} · {question.split}",
        summary=question.question,
        columns=(
            ("Answer", await _answer_blocks(run, seen)),
            ("Hits", _hit_blocks(run, seen)),
            ("Gold", _gold_blocks(run, seen)),
        ),
        scores=_scores(run, seen),
        facets=(
            ("scenario", words(question.scenario)),
            ("split", question.split),
            ("user", question.user),
            ("outcome", str(seen.answer.provenance) if seen.answer else "failed"),
        ),
        rank=round(rightness(run, seen), 3),
    )


async def _answer_blocks(run: QualityRun, seen: Observation) -> tuple[Block, ...]:
    if seen.answer is None:
        return (Block("no answer", seen.failure, "bad"),)
    made = f"{seen.answer.provenance}" + (
        f" by {seen.answer.generator}" if seen.answer.generator else ""
    )
    if seen.answer.declines:
        return (Block(made, seen.answer.text),)
    return (Block(made, seen.answer.text), *await _verdicts(run, seen))


async def _verdicts(run: QualityRun, seen: Observation) -> list[Block]:
    try:
        supports = await supports_of(seen, run.checker)
    except CheckFailed as error:
        return [Block("not checked", str(error))]
    return [
        Block(support.why, support.claim, "good" if support.supported else "bad")
        for support in supports
    ]


def _hit_blocks(run: QualityRun, seen: Observation) -> tuple[Block, ...]:
    if seen.ranking is None:
        return (Block("not searched", "The question was refused before retrieval."),)
    gold = [run.golden.passages[passage] for passage in seen.question.gold]
    blocks = _decided(run, seen, seen.ranking)
    for rank, hit in enumerate(seen.ranking.hits, start=1):
        right = any(covers(hit, passage) for passage in gold)
        below = ", below RAG_MIN_SCORE" if hit.relevance < run.threshold.min_score else ""
        heading = f"{rank}. {hit.title} · {hit.heading} ({hit.score:.2f}{below})"
        blocks.append(Block(heading, hit.text, "good" if right else "plain"))
    return tuple(blocks) or (Block("nothing found", ""),)


def _decided(run: QualityRun, seen: Observation, ranking: Ranking) -> list[Block]:
    """What the one decision on all hits was; none where each hit's own score is all there is."""
    if run.threshold.model is None:
        return []
    value = run.threshold.value(seen.question.question, ranking)
    became = "answered" if value >= run.threshold.least else "declined"
    return [Block(f"{became} at {value:.3f}", f"{run.threshold.measures}; {run.threshold}")]


def _gold_blocks(run: QualityRun, seen: Observation) -> tuple[Block, ...]:
    question = seen.question
    blocks = [Block("reference", question.reference)]
    for fact in question.facts:
        held = holds(fact, run.golden, cited_spans(seen))
        state = "its words are cited" if held else "its words are not cited"
        blocks.append(Block(f"{fact.fact} ({state})", fact.quote, "good" if held else "bad"))
    blocks += [Block(f"passage {passage}", run.golden.text(passage)) for passage in question.gold]
    return tuple(blocks)


def _scores(run: QualityRun, seen: Observation) -> tuple[tuple[str, Cell], ...]:
    scores = run.summary.of_question(seen.question.id)
    shown: list[tuple[str, Cell]] = []
    for measure in _SHOWN:
        match scores.get(measure):
            case Scored(value):
                shown.append((words(measure), round(value, 3)))
            case Unscored(reason):
                shown.append((words(measure), f"unscored: {reason}"))
    return tuple(shown)


def answers(run: QualityRun) -> dict[str, dict[str, str]]:
    """What was said to each question, for comparing two runs."""
    return {
        seen.question.id: {
            "question": seen.question.question,
            "group": seen.question.group,
            "provenance": str(seen.answer.provenance) if seen.answer else "failed",
            "text": seen.answer.text if seen.answer else seen.failure,
        }
        for seen in run.observations
    }
