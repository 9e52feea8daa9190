"""Search by vectors, by words and by both, through the pipeline that is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from evals.datasets.beir import Collection
from evals.datasets.corpus import collection_user
from evals.datasets.golden import GoldenSet
from evals.measures.retrieval import RetrievalScores, score_runs
from evals.measures.summary import SPLITS
from evals.retrieval.ways import Found, score_questions, search_by
from evals.stats.paired import PairedDifference, paired_difference
from rag_core.bootstrap import Application
from rag_core.domain import SearchMode, WholeNoteChunker
from rag_core.settings import Settings

MODES = {mode: {"search_mode": mode} for mode in SearchMode}
"""Each with the setting that it is."""
COMPARED = ("nDCG@10", "R@5")
"""Measures by which the modes are set beside each other."""


@dataclass(frozen=True)
class ModesRun:
    """The same queries in every mode; milliseconds of each are of the whole way to a context."""

    name: str
    scores: Mapping[SearchMode, RetrievalScores]
    ms: Mapping[SearchMode, Mapping[str, float]]
    clusters: Mapping[str, str] | None
    seed: int

    @property
    def queries(self) -> int:
        """Number of queries that were searched."""
        return len(self.ms[SearchMode.DENSE])

    @cached_property
    def differences(self) -> Mapping[tuple[SearchMode, str], PairedDifference]:
        """Of lexical and hybrid from dense search, by mode and measure."""
        dense = self.scores[SearchMode.DENSE].rows
        return {
            (mode, measure): paired_difference(
                f"{measure}, {mode} minus dense",
                dense[measure],
                self.scores[mode].rows[measure],
                clusters=self.clusters,
                seed=self.seed,
            )
            for mode in self.scores
            if mode is not SearchMode.DENSE
            for measure in COMPARED
        }

    def p50_ms(self, mode: SearchMode) -> float:
        """Median milliseconds."""
        return median(self.ms[mode].values())


async def golden_modes(
    application: Application, settings: Settings, golden: GoldenSet, *, seed: int
) -> list[ModesRun]:
    """The answerable questions of each split; the notes are in the store."""
    asked = [question for question in golden.questions if question.answerable]
    queries = {each.id: (each.question, each.user) for each in asked}
    searched = await search_by(application, settings, MODES, queries, "golden questions")
    runs = []
    for split in SPLITS:
        part = [each for each in asked if each.split == split]
        if part:
            scored = {
                mode: score_questions(golden, part, hits, seed)
                for mode, hits in searched.found.items()
            }
            of_split = {
                mode: {each.id: taken[each.id] for each in part}
                for mode, taken in searched.ms.items()
            }
            groups = {each.id: each.group for each in part}
            runs.append(ModesRun(f"golden questions, {split}", scored, of_split, groups, seed))
    return runs


async def collection_modes(
    application: Application, settings: Settings, collection: Collection, *, seed: int
) -> ModesRun:
    """The queries of a collection, whose documents are in the store as one chunk each."""
    user = collection_user(collection, WholeNoteChunker(), application.embedder)
    queries = {query: (text, str(user)) for query, text in collection.queries.items()}
    searched = await search_by(application, settings, MODES, queries, collection.name)
    scores = {
        mode: score_runs(collection.qrels, _documents(hits), seed=seed)
        for mode, hits in searched.found.items()
    }
    return ModesRun(collection.name, scores, searched.ms, None, seed)


def _documents(found: Found) -> dict[str, list[tuple[str, float]]]:
    return {
        query: [(hit.note_id, -float(place)) for place, hit in enumerate(hits)]
        for query, hits in found.items()
    }
