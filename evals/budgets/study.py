"""The study of budgets: sweep on dev, choose, confirm on test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.budgets.choice import GUARDED, Choice, Objective, Verdict, choose, confirmed
from evals.budgets.grid import BudgetSetting, Chunking, axes, grid
from evals.budgets.outcomes import Outcomes
from evals.budgets.scoring import NOT_ASKED
from evals.budgets.stages import Parts, Stages
from evals.budgets.sweep import Purse, Sweep
from evals.datasets.corpus import held_open
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.measures.kept_vectors import kept_vectors
from evals.measures.measuring_embedder import measuring_embedder
from evals.measures.support import opened_light_checker
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from rag_core.adapters.documents import read_notes
from rag_core.bootstrap import Application, assemble, open_generator, prompt_rules
from rag_core.cli import entered, progress_bar
from rag_core.domain import Note, Prices, authenticated
from rag_core.errors import InvalidInput
from rag_core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a study is asked to do; `axes` are values to try as text, by axis."""

    profile: str = "full"
    golden: Path = GOLDEN
    axes: Mapping[str, str]
    objective: Objective
    max_usd: float = 1.0
    seed: int = 0
    commit: str = "unknown"


@dataclass(frozen=True, eq=False, kw_only=True)
class BudgetStudy:
    """The sweep on dev, the choice from it, and both ends of the choice on test."""

    golden: GoldenSet
    dev: Outcomes
    choice: Choice
    test: Outcomes | None
    """Of the current and the chosen setting; None where there is no question of split test."""
    prices: Prices
    generator: str
    pipeline_digest: str
    commit: str
    embedded: int
    """Number of texts that no run before had embedded."""
    spent_usd: float
    seconds: float
    """Of the sweep itself, in seconds."""
    embedding_seconds: float
    """Of cutting and embedding the notes, in seconds."""

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """What test says of the choice, by guarded measure; empty where it has nothing to say."""
        if self.test is None or not self.choice.changes:
            return {}
        tolerance = self.choice.objective.tolerance
        return {
            measure: confirmed(self.test.difference(measure, self.choice.setting), tolerance)
            for measure in GUARDED
        }

    @property
    def recommended(self) -> BudgetSetting:
        """The chosen setting where test confirms it, else the current one."""
        sure = self.verdicts and set(self.verdicts.values()) == {"confirmed"}
        return self.choice.setting if sure else self.choice.current


async def study(asked: Asked) -> BudgetStudy:
    """Sweep, choose and confirm.

    Raises:
        InvalidInput: a value is out of range, the golden data has no question to choose on, or
            the deployed search is not exact.
        Unavailable: the database cannot be reached.
    """
    settings = project_settings()
    current = BudgetSetting.of(settings)
    tried = grid(axes(asked.profile, asked.axes), current, settings)
    golden = await asyncio.to_thread(load_checked, asked.golden)
    if not questions_of(golden, "dev"):
        raise InvalidInput(str(asked.golden), "has no question of split dev to choose on")
    async with opened(golden, settings, tried, asked.max_usd) as bench:
        began = time.perf_counter()
        await bench.prepare(sorted({setting.chunking for setting in tried}))
        cut = time.perf_counter()
        dev = await bench.run("dev", tried, asked.seed)
        choice = choose(dev, asked.objective)
        both = list(dict.fromkeys([current, choice.setting]))
        test = await bench.run("test", both, asked.seed)
        return BudgetStudy(
            golden=golden,
            dev=dev,
            choice=choice,
            test=test if test.questions else None,
            prices=bench.sweep.prices,
            generator=bench.generator,
            pipeline_digest=bench.application.pipeline.digest,
            commit=asked.commit,
            embedded=bench.parts.embedder.embedded,
            spent_usd=bench.sweep.purse.spent_usd,
            seconds=time.perf_counter() - cut,
            embedding_seconds=cut - began,
        )


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What asks, opened."""

    application: Application
    parts: Parts
    stages: Stages
    sweep: Sweep

    @property
    def generator(self) -> str:
        """Its name and its model."""
        generator = self.parts.generator
        return f"{generator.name} ({generator.model})"

    async def prepare(self, chunkings: Sequence[Chunking]) -> None:
        """Cut and embed the notes; what the store has embedded already is taken from there."""
        for name, notes in self.parts.notes.items():
            user, ids = authenticated(name), [note.id for note in notes]
            stored = await self.application.notes.stored_notes(user, ids)
            if stored.embedder == self.parts.embedder.digest:
                self.parts.embedder.learn(await self.application.notes.vectors(user, ids))
        for chunking in chunkings:
            total = sum(map(len, self.parts.notes.values()))
            with progress_bar(total, f"cut notes {chunking}", "note") as bar:
                await self.stages.cut(chunking, list(self.parts.notes), bar.update)

    async def run(self, split: str, settings: Sequence[BudgetSetting], seed: int) -> Outcomes:
        """Every setting, of the questions of a split; `seed` is that of the resamples."""
        questions = questions_of(self.sweep.golden, split)
        with progress_bar(len(settings), f"sweep on {split}", "setting") as bar:
            return await self.sweep.run(questions, settings, seed=seed, progress=bar.update)


@asynccontextmanager
async def opened(
    golden: GoldenSet, settings: Settings, tried: Sequence[BudgetSetting], max_usd: float
) -> AsyncIterator[Bench]:
    """A bench for the settings `tried`, that spends at most `max_usd` dollars."""
    async with (
        entered(held_open(settings), "starting the database") as ready,
        assemble(ready) as application,
    ):
        tokenizer = application.tokenizer
        measuring = await asyncio.to_thread(measuring_embedder, application.embedder, settings)
        folder = settings.home / "vectors"
        with (
            kept_vectors(application.embedder, folder) as embedder,
            kept_vectors(measuring, folder) as measured,
            opened_light_checker(vectors := Vectors(measured), settings) as checker,
        ):
            async with open_generator(ready, embedder, tokenizer) as generator:
                parts = Parts(
                    embedder=embedder,
                    tokenizer=tokenizer,
                    generator=generator,
                    question_tokens=settings.question_tokens,
                    mode=settings.search_mode,
                    lexical_weight=settings.lexical_weight,
                    rules=prompt_rules(settings),
                    notes=_notes(golden),
                )
                stages = Stages(parts, depth=max(setting.top_k for setting in tried))
                sweep = Sweep(
                    stages=stages,
                    golden=golden,
                    vectors=vectors,
                    checker=checker,
                    tokenizer=tokenizer,
                    prices=Prices(settings.price_input_usd, settings.price_output_usd),
                    purse=Purse(generator.prices, max_usd),
                )
                yield Bench(application=application, parts=parts, stages=stages, sweep=sweep)


def _notes(golden: GoldenSet) -> dict[str, list[Note]]:
    """Of the users who are asked."""
    asked = (*questions_of(golden, "dev"), *questions_of(golden, "test"))
    users = sorted({question.user for question in asked})
    return {user: read_notes(golden.notes[user].path) for user in users}


def questions_of(golden: GoldenSet, split: str) -> list[GoldenQuestion]:
    """Those of a split that budgets are spent on."""
    return [
        question
        for question in golden.questions
        if question.split == split and question.scenario not in NOT_ASKED
    ]
