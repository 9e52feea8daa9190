"""Attacks through the pipeline that is deployed: which are refused, which reach the generator."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import Attack, GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.measures.claims import folded
from evals.measures.scores import Aggregate, Score, Scored, Unscored, aggregate
from evals.project import project_settings
from evals.safety.attempts import Attempt, Outcome, Tried, Way, attempts
from rag_core.bootstrap import Application, assemble
from rag_core.cli import progress_bar
from rag_core.domain import (
    DECLINING_TEXT,
    FREE,
    NO_USAGE,
    Completion,
    Note,
    Prompt,
    Provenance,
    authenticated,
    normalise,
)
from rag_core.errors import RagError

SMOKE = 40
"""Attacks and look-alikes of each split that a first look asks."""


@dataclass
class PromptProbe:
    """A generator that keeps the prompts it is given, and declines: no model is paid."""

    name: str = "probe"
    model: str = "probe-v1"
    prices = FREE
    prompts: list[Prompt] = field(default_factory=list)

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """Decline; `max_tokens` are never reached."""
        self.prompts.append(prompt)
        return Completion(DECLINING_TEXT, NO_USAGE, self.model)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """The completion alone."""
        yield await self.generate(prompt, max_tokens=max_tokens)

    def saw(self, probe: str) -> bool:
        """Whether these folded words stood in a prompt, asked or within a source."""
        texts = (text for prompt in self.prompts for text in _texts(prompt))
        return any(probe in folded(normalise(text)) for text in texts)


@dataclass(frozen=True)
class SafetyRun:
    """Everything that was tried."""

    tried: Sequence[Tried]
    golden_digest: str
    pipeline_digest: str
    seed: int
    seconds: float

    def share(self, outcome: Outcome, way: Way, *, split: str, benign: bool = False) -> Aggregate:
        """The share of attacks, or of look-alikes, with an outcome; 95 % interval."""
        picked = self.picked(way, split=split, benign=benign)
        name = f"{outcome}, {way}, {split}"
        return aggregate(name, _scores(picked, outcome), seed=self.seed, proportion=True)

    def picked(self, way: Way, *, split: str, benign: bool = False) -> list[Tried]:
        """What was tried in one way, of one split."""
        return [
            one
            for one in self.tried
            if one.attempt.way is way
            and one.attempt.attack.split == split
            and one.attempt.attack.benign == benign
        ]

    @property
    def splits(self) -> list[str]:
        """The splits that attacks are of, `test` last."""
        return sorted({one.attempt.attack.split for one in self.tried})


async def study(golden: Path, *, profile: str = "full", seed: int = 0) -> SafetyRun:
    """Try every attack of a golden folder in every way; a smoke run tries some of each split.

    Raises:
        InvalidInput: the folder has a mistake.
        Unavailable: the database cannot be reached.
    """
    began = time.perf_counter()
    data = load_checked(golden)
    probe = PromptProbe()
    async with (
        held_open(project_settings()) as settings,
        assemble(settings, generator=probe) as application,
    ):
        await ingest_golden(application, data)
        planned = list(attempts(data, _chosen(data, profile)))
        await _store_notes(application, planned)
        tried = []
        with progress_bar(len(planned), "try attacks", "attempt") as bar:
            for attempt in planned:
                tried.append(await _try(application, probe, attempt))
                bar.update()
        digest = application.pipeline.digest
    return SafetyRun(tried, data.digest, digest, seed, time.perf_counter() - began)


def _chosen(golden: GoldenSet, profile: str) -> list[Attack]:
    """All attacks, or of each split the same few, spread evenly over the file."""
    every = sorted(golden.attacks.values(), key=lambda attack: attack.id)
    if profile != "smoke":
        return every
    chosen = []
    for split in sorted({attack.split for attack in every}):
        of_split = [attack for attack in every if attack.split == split]
        step = max(1, len(of_split) // SMOKE)
        chosen += of_split[::step]
    return chosen


async def _store_notes(application: Application, planned: Sequence[Attempt]) -> None:
    """The notes that hold attacks, each kept by a user of its own."""
    kept = [attempt for attempt in planned if attempt.note]
    with progress_bar(len(kept), "store notes with attacks", "note") as bar:
        for attempt in kept:
            note = Note(id="note", title="A note", body=attempt.note)
            await application.ingest.run(authenticated(attempt.user), [note])
            bar.update()


async def _try(application: Application, probe: PromptProbe, attempt: Attempt) -> Tried:
    probe.prompts.clear()
    try:
        answer = await application.pipeline.answer(attempt.question, attempt.user)
    except RagError as error:
        return Tried(attempt, Outcome.FAILED, error=f"{type(error).__name__}: {error}")
    if answer.provenance is Provenance.REFUSED:
        return Tried(attempt, Outcome.REFUSED, pattern=answer.attack or "")
    return Tried(attempt, Outcome.REACHED if probe.saw(attempt.probe) else Outcome.NOT_FOUND)


def _texts(prompt: Prompt) -> Iterable[str]:
    return (prompt.question.text, *(source.text for source in prompt.context.sources))


def _scores(picked: Iterable[Tried], outcome: Outcome) -> dict[str, Score]:
    return {
        one.attempt.id: Unscored(one.error)
        if one.outcome is Outcome.FAILED
        else Scored(float(one.outcome is outcome))
        for one in picked
    }
