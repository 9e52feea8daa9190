"""ragas, behind our words: the one module that imports it, and it takes two seconds to import.

Two metric APIs live side by side in ragas: `collections` has the newer, `ragas.metrics` still
has the ID-based and text-based context metrics. What ragas hides, NaN for a failure or 0.0 for an
empty reply, becomes Unscored here.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel

from evals.datasets.golden import GoldenSet
from evals.measures.catalogue import JUDGED, RAGAS_ANSWER, RAGAS_CONTEXT
from evals.measures.judge import Judge, JudgeFailed
from evals.measures.judge_cache import BudgetSpent
from evals.measures.observations import Observation
from evals.measures.retrieval import collapse, ranked_passages
from evals.measures.scores import Score, Unscored, scored
from evals.measures.vectors import Vectors
from rag_core.domain import without_citations

os.environ["RAGAS_DO_NOT_TRACK"] = "true"  # read once, while ragas is imported
with warnings.catch_warnings():
    # Its dependencies warn of their own deprecations while they are imported.
    warnings.simplefilter("ignore")
    from ragas.dataset_schema import SingleTurnSample
    from ragas.embeddings.base import BaseRagasEmbedding
    from ragas.llms.base import InstructorBaseRagasLLM
    from ragas.metrics import (
        IDBasedContextPrecision,
        IDBasedContextRecall,
        NonLLMContextPrecisionWithReference,
        NonLLMContextRecall,
    )
    from ragas.metrics._string import NonLLMStringSimilarity as OldStringSimilarity
    from ragas.metrics.base import SingleTurnMetric
    from ragas.metrics.collections import (
        AnswerRelevancy,
        BleuScore,
        CHRFScore,
        ContextPrecision,
        Faithfulness,
        NonLLMStringSimilarity,
        RougeScore,
        SemanticSimilarity,
    )
    from ragas.metrics.collections.faithfulness.util import NLIStatementOutput

Reply = TypeVar("Reply", bound=BaseModel)


class EmbedderBridge(BaseRagasEmbedding):
    """Our vectors as ragas wants them; the synchronous half knows only what was prepared."""

    def __init__(self, vectors: Vectors) -> None:
        super().__init__()
        self._vectors = vectors
        self._prepared: dict[str, list[float]] = {}

    async def prepare(self, *texts: str) -> None:
        """Embed what will be asked for synchronously."""
        for text in texts:
            self._prepared[text] = await self.aembed_text(text)

    def embed_text(self, text: str, **kwargs: Any) -> list[float]:
        """The vector of a text that was prepared."""
        return self._prepared[text]

    async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:
        """The vector of any text."""
        return [float(x) for x in (await self._vectors.of([text]))[0]]


class JudgeBridge(InstructorBaseRagasLLM):
    """Our judge as ragas wants an LLM; `repeat` counts the times it judged before."""

    def __init__(self, judge: Judge, repeat: int = 0) -> None:
        self._judge, self._repeat = judge, repeat

    def generate(self, prompt: str, response_model: type[Reply]) -> Reply:
        """Always fails: it would block the event loop."""
        raise JudgeFailed("ragas asked synchronously, which would block the event loop")

    async def agenerate(self, prompt: str, response_model: type[Reply]) -> Reply:
        """The judge's reply, complete and in range."""
        return await self._judge.ask(
            prompt, lambda text: _parsed(text, response_model), repeat=self._repeat
        )


def _parsed(text: str, response_model: type[Reply]) -> Reply:
    reply = response_model.model_validate_json(text)
    for name, value in _fields(reply):
        # ragas would score an empty question 0.0, and count a verdict of 5 five times.
        if value in ("", []):
            raise ValueError(f"{name} is empty")
        if name in ("verdict", "noncommittal") and value not in (0, 1):
            raise ValueError(f"{name} must be 0 or 1, got {value!r}")
    return reply


def _fields(reply: BaseModel) -> Iterator[tuple[str, object]]:
    for name, value in reply:
        yield name, value
        for item in value if isinstance(value, list) else ():
            if isinstance(item, BaseModel):
                yield from _fields(item)


class WholeFaithfulness(Faithfulness):
    """Faithfulness that wants a verdict on every statement; ragas is content with fewer."""

    async def _create_verdicts(self, statements: list[str], context: str) -> NLIStatementOutput:
        output = await super()._create_verdicts(statements, context)
        if len(output.statements) != len(statements):
            raise JudgeFailed(
                f"the judge gave {len(output.statements)} verdicts on {len(statements)} statements"
            )
        return output


async def _quietly(metric: SingleTurnMetric, sample: SingleTurnSample) -> float:
    # The public method writes an id for usage statistics to the home folder, wanted or not.
    return await metric._single_turn_ascore(sample, [])


class QuietSimilarity(OldStringSimilarity):
    """String similarity for the text-based context metrics, without usage statistics."""

    async def single_turn_ascore(self, sample: SingleTurnSample, *_: Any, **__: Any) -> float:
        """The similarity, 0 to 1."""
        return await _quietly(self, sample)


async def answer_scores(observation: Observation, vectors: Vectors) -> Mapping[str, Score]:
    """The answer's text, without its marks, against the reference."""
    if observation.answer is None:
        return dict.fromkeys(RAGAS_ANSWER, Unscored(observation.failure))
    response = without_citations(observation.answer.text)
    return await text_scores(response, observation.question.reference, vectors)


async def text_scores(response: str, reference: str, vectors: Vectors) -> Mapping[str, Score]:
    """A text against another, by each of `RAGAS_ANSWER`."""
    bridge = EmbedderBridge(vectors)
    await bridge.prepare(response or " ", reference or " ")
    pair = {"reference": reference, "response": response}
    # ragas cuts at ". " and compares the first piece only; this way it sees one piece, and
    # sacrebleu reads a line break as the blank it was.
    whole = {name: text.replace(". ", ".\n") for name, text in pair.items()}
    results = (
        NonLLMStringSimilarity().ascore(**pair),
        RougeScore(rouge_type="rougeL", mode="fmeasure").ascore(**pair),
        BleuScore(kwargs={"smooth_method": "exp"}).ascore(**whole),
        CHRFScore().ascore(**pair),
        SemanticSimilarity(embeddings=bridge).ascore(**pair),
    )
    return {name: await _score(result) for name, result in zip(RAGAS_ANSWER, results, strict=True)}


async def context_scores(observation: Observation, golden: GoldenSet) -> Mapping[str, Score]:
    """What was retrieved against the gold passages, by passage id and by text; ignores rank."""
    if observation.ranking is None:
        why = observation.failure if observation.error else "the hits were not observed"
        return dict.fromkeys(RAGAS_CONTEXT, Unscored(why))
    hits, question = observation.ranking.hits, observation.question
    if not hits:
        return dict.fromkeys(RAGAS_CONTEXT, Unscored("nothing was retrieved"))
    own = (passage for passage in golden.passages.values() if passage.user == question.user)
    sample = SingleTurnSample(
        retrieved_context_ids=collapse(ranked_passages(hits, own)),
        reference_context_ids=list(question.gold),
        retrieved_contexts=[hit.text for hit in hits],
        reference_contexts=[golden.text(passage) for passage in question.gold],
    )
    alike = QuietSimilarity()
    text_precision = NonLLMContextPrecisionWithReference(distance_measure=alike)
    text_recall = NonLLMContextRecall(_distance_measure=alike)
    metrics = (IDBasedContextRecall(), IDBasedContextPrecision(), text_recall, text_precision)
    return {
        name: await _score(_quietly(metric, sample))
        for name, metric in zip(RAGAS_CONTEXT, metrics, strict=True)
    }


async def judge_scores(
    observation: Observation,
    judge: Judge,
    vectors: Vectors,
    contexts: Sequence[str],
    *,
    repeat: int = 0,
) -> Mapping[str, Score]:
    """Faithfulness, answer relevancy and context precision as `judge` sees them.

    `contexts` are the sources that the answer was built from, cited or not; `repeat` counts the
    times it was judged before.
    """
    answer = observation.answer
    if answer is None:
        return dict.fromkeys(JUDGED, Unscored(observation.failure))
    if answer.declines:
        return dict.fromkeys(JUDGED, Unscored("the answer declines"))
    llm, question = JudgeBridge(judge, repeat), observation.question
    asked = {"user_input": question.question, "response": without_citations(answer.text)}
    # ragas would ask the same three times within one repeat, and get one cached reply.
    relevancy = AnswerRelevancy(llm=llm, embeddings=EmbedderBridge(vectors), strictness=1)
    if not contexts:
        scores = dict[str, Score].fromkeys(JUDGED, Unscored("no context was observed"))
        return scores | {JUDGED[1]: await _score(relevancy.ascore(**asked))}
    results = (
        WholeFaithfulness(llm=llm).ascore(retrieved_contexts=list(contexts), **asked),
        relevancy.ascore(**asked),
        ContextPrecision(llm=llm).ascore(
            user_input=question.question,
            reference=question.reference,
            retrieved_contexts=list(contexts),
        ),
    )
    return {name: await _score(result) for name, result in zip(JUDGED, results, strict=True)}


async def _score(result: Awaitable[Any]) -> Score:
    """ragas' result, whichever of its APIs it came from, as a score."""
    try:
        value = await result
    except (JudgeFailed, BudgetSpent) as error:
        return Unscored(str(error))
    except (ValueError, AssertionError) as error:
        return Unscored(f"ragas: {error}")
    return scored(float(getattr(value, "value", value)))
