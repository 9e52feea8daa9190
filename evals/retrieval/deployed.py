"""The golden questions searched by the pipeline that is deployed, with its own limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.datasets.golden import GoldenQuestion, GoldenSet, Split
from evals.measures.retrieval import RetrievalScores, ranked_passages, score_golden
from evals.measures.scores import Aggregate
from evals.measures.summary import SPLITS
from evals.measures.threshold import Threshold
from evals.retrieval.search_runs import check_plan, embed_queries, plan_index
from rag_core.adapters.postgres import HNSW_INDEX, PlanNode
from rag_core.bootstrap import Application
from rag_core.cli import progress_bar
from rag_core.domain import SearchMethod, authenticated
from rag_core.settings import Settings


@dataclass(frozen=True)
class DeployedRun:
    """What the pipeline finds: its question limit, search method, `k` hits and threshold."""

    method: SearchMethod
    k: int
    threshold: Threshold
    scores: Mapping[Split, RetrievalScores]
    plan: Sequence[PlanNode]

    @property
    def index(self) -> str:
        """What the plan scans."""
        return plan_index(self.plan)

    @property
    def queries(self) -> int:
        """Number of questions that were searched for."""
        return sum(len(scores.rows["R@5"]) for scores in self.scores.values())

    def of_splits(self, measure: str) -> Mapping[Split, Aggregate]:
        """The aggregate of each split that is there, test first."""
        return {split: scores.aggregates[measure] for split, scores in self.scores.items()}


async def search_deployed(
    application: Application, settings: Settings, golden: GoldenSet, *, seed: int = 0
) -> DeployedRun:
    """Let the pipeline search for every question that has gold; hits below the threshold are none.

    Raises:
        ConfigurationError: the plan is not that of the method in the settings.
        Unavailable: the database cannot be reached.
    """
    asked = [question for question in golden.questions if question.answerable]
    runs = {}
    with progress_bar(len(asked), "search as deployed", "question") as bar:
        for question in asked:
            runs[question.id] = await _passages(application, settings, golden, question)
            bar.update()
    parts = {split: [q for q in asked if q.split == split] for split in SPLITS}
    return DeployedRun(
        method=settings.search_method,
        k=settings.top_k,
        threshold=Threshold.of(settings),
        scores={s: score_golden(part, runs, seed=seed) for s, part in parts.items() if part},
        plan=await _plan(application, settings, asked[0]),
    )


async def _passages(
    application: Application, settings: Settings, golden: GoldenSet, question: GoldenQuestion
) -> list[tuple[str, float]]:
    """The user's passages that the hits stand for, best first, with their scores."""
    retrieved = await application.pipeline.retrieve(question.question, question.user)
    own = (each for each in golden.passages.values() if each.user == question.user)
    return ranked_passages(retrieved.usable.hits, own)


async def _plan(
    application: Application, settings: Settings, question: GoldenQuestion
) -> list[PlanNode]:
    queries = await embed_queries(application.embedder, {question.id: question.question})
    user = authenticated(question.user)
    plan = await application.retriever.explain(user, queries[question.id], k=settings.top_k)
    scanned = settings.exact_up_to and plan_index(plan) != HNSW_INDEX
    check_plan(SearchMethod.EXACT if scanned else settings.search_method, plan)
    return plan
