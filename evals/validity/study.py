"""Claims put to every checker, and faults planted in the pipeline as it is deployed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import FRESH, GoldenQuestion, GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.measures.asking import ask_all
from evals.measures.catalogue import Instruments
from evals.measures.kept_vectors import kept_vectors
from evals.measures.measuring_embedder import measuring_embedder
from evals.measures.observations import Observation
from evals.measures.support import SupportChecker
from evals.measures.validity.card import Card, card
from evals.measures.validity.faults import FAULTS
from evals.measures.validity.labelled_claims import golden_claims, read_claims
from evals.measures.validity.planted import Asked, Planted, Remembered, Spoilt, Written
from evals.measures.validity.validity import PlantedRun, Validity, measured, validity
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from evals.validity.checking import all_cards, embed_claims, in_use, open_checkers
from rag_core.bootstrap import Application, assemble, open_generator
from rag_core.cli import progress_bar
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

QUESTIONS = {"smoke": 12, "full": None}
"""How many of the questions get planted answers, by profile; None: all."""


@dataclass(frozen=True)
class ValidityRun:
    """The cards of all checkers, and all planted runs beside the real one."""

    cards: Sequence[Card]
    claims: int
    """Number of claims that each checker was asked about."""
    fresh: Card | None
    """Of the checker in use, on claims that nothing was fitted to; None where it was not asked."""
    real: PlantedRun
    planted: Sequence[PlantedRun]
    validity: Sequence[Validity]
    questions: int
    """Number of questions with planted answers."""
    generator: str
    golden_digest: str
    seconds: float


@dataclass(frozen=True)
class Plant:
    """A planted generator, and whether its answers are faulty."""

    generator: Planted
    faulty: bool


@dataclass(frozen=True)
class _Bench:
    """What every planted generator is run with."""

    settings: Settings
    application: Application
    use: Instruments
    questions: Sequence[GoldenQuestion]


async def study(
    golden_dir: Path = GOLDEN, *, profile: str = "full", seed: int = 0, max_usd: float = 1.0
) -> ValidityRun:
    """Ask every checker about the golden test claims, and plant answers to the golden questions.

    A judge, where one is configured, checks claims for `max_usd` at most; planted answers are
    measured without it.

    Raises:
        InvalidInput: there is no such profile, or the folder has a mistake.
        Unavailable: the database cannot be reached.
    """
    if profile not in QUESTIONS:
        raise InvalidInput("profile", f"must be one of {', '.join(QUESTIONS)}, got {profile!r}")
    began = time.perf_counter()
    settings = project_settings()
    golden = await asyncio.to_thread(load_checked, golden_dir)
    async with held_open(settings) as ready, assemble(ready) as application:
        await ingest_golden(application, golden)
        claims = golden_claims(golden.claims, "test")
        measuring = await asyncio.to_thread(measuring_embedder, application.embedder, settings)
        with kept_vectors(measuring, settings.home / "vectors") as embedder:
            vectors = Vectors(embedder)
            await embed_claims(vectors, claims)
            async with open_checkers(vectors, settings, max_usd) as checkers:
                cards = await all_cards(checkers, claims, seed=seed)
                fresh = await _fresh_card(in_use(checkers), vectors, golden_dir, profile, seed)
                use = Instruments(golden, vectors, in_use(checkers))
                questions = _questions(golden, profile)
                real, *planted = await _plant_all(_Bench(ready, application, use, questions))
    return ValidityRun(
        cards=cards,
        claims=len(claims),
        fresh=fresh,
        real=real,
        planted=planted,
        validity=validity(real, planted),
        questions=len(questions),
        generator=real.kind,
        golden_digest=golden.digest,
        seconds=time.perf_counter() - began,
    )


async def _fresh_card(
    checker: SupportChecker, vectors: Vectors, golden_dir: Path, profile: str, seed: int
) -> Card | None:
    """Asked in the profile that asks everything, where the folder has such claims."""
    file = golden_dir / FRESH
    if QUESTIONS[profile] is not None or not file.exists():
        return None
    claims = await asyncio.to_thread(read_claims, file)
    await embed_claims(vectors, claims)
    return await card(checker, claims, seed=seed)


def _questions(golden: GoldenSet, profile: str) -> list[GoldenQuestion]:
    asked = {each.question for each in golden.planted}
    return [each for each in golden.questions if each.id in asked][: QUESTIONS[profile]]


async def _plant_all(bench: _Bench) -> list[PlantedRun]:
    """The real run first, then every planted one."""
    asked = Asked.of(bench.use.golden, bench.questions)
    application = bench.application
    async with open_generator(
        bench.settings, application.embedder, application.tokenizer
    ) as generator:
        real = Remembered(generator)
        plants = [Plant(real, False), *_plants(bench.use.golden, real, asked)]
        seen: list[list[Observation]] = []
        runs: list[PlantedRun] = []
        with progress_bar(len(plants), "plant answers", "generator") as bar:
            for plant in plants:
                seen.append(await _answers(bench, plant.generator))
                runs.append(await _measured(bench, plant, seen[-1], seen[0]))
                bar.update()
    return runs


def _plants(golden: GoldenSet, real: Remembered, asked: Asked) -> list[Plant]:
    by_hand = {each.kind: each.faulty for each in golden.planted}
    return [
        *(Plant(Spoilt(kind, fault, real, asked), True) for kind, fault in FAULTS.items()),
        *(Plant(Written(kind, golden.planted, asked), bad) for kind, bad in by_hand.items()),
    ]


async def _answers(bench: _Bench, generator: Planted) -> list[Observation]:
    async with assemble(
        bench.settings,
        generator=generator,
        embedder=bench.application.embedder,
        tokenizer=bench.application.tokenizer,
    ) as application:
        return await ask_all(application, bench.questions)


async def _measured(
    bench: _Bench, plant: Plant, seen: Sequence[Observation], real: Sequence[Observation]
) -> PlantedRun:
    uncited = plant.generator.uncited if isinstance(plant.generator, Written) else {}
    changed = {
        each.question.id
        for each, before in zip(seen, real, strict=True)
        if _said(each) != _said(before)
    }
    return PlantedRun(
        plant.generator.kind,
        plant.faulty,
        await measured(seen, bench.use),
        {each.id: each.group or each.id for each in bench.questions},
        frozenset(each for each in changed if not uncited.get(each)),
        by_rule=isinstance(plant.generator, Spoilt),
        uncited=sum(uncited.values()),
        total=plant.generator.total if isinstance(plant.generator, Written) else 0,
    )


def _said(seen: Observation) -> tuple[object, ...]:
    if seen.answer is None:
        return (seen.error,)
    cited = tuple(each.chunk_id for each in seen.answer.citations)
    return seen.answer.text, cited
