"""Holding drills: one application after the other, each before its trouble."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.datasets.golden_checks import load_checked
from evals.drills.arrivals import Arrival, drawn_arrivals, probes
from evals.drills.drill import LONGEST_RECOVERY_S, Drill, Phase, Scale
from evals.drills.own_postgres import own_postgres
from evals.drills.quality import Scorer
from evals.drills.run import DrillRun
from evals.drills.scene import Scene, Site, scene
from evals.measures.asking import WARM_UP, ask_all
from evals.measures.catalogue import Instruments
from evals.measures.measuring_embedder import measuring_embedder
from evals.measures.support import opened_light_checker
from evals.measures.vectors import Vectors
from evals.project import CANARY, project_settings
from loadtests.stub_provider import running_stub
from rag_core.bootstrap import assemble
from rag_core.cli import progress_bar
from rag_core.settings import secret

_LOOK_S = 0.02
"""How often is looked whether all is well again."""


@dataclass(frozen=True)
class DrillsRun:
    """All drills that were held."""

    runs: Sequence[DrillRun]
    golden_digest: str
    profile: str
    seed: int
    seconds: float


async def study(
    golden: Path, drills: Sequence[Drill], *, profile: str = "full", seed: int = 0
) -> DrillsRun:
    """Hold these drills, one after the other.

    Raises:
        InvalidInput: the folder has a mistake.
        Unavailable: a server does not start.
    """
    began = time.perf_counter()
    data = await asyncio.to_thread(load_checked, golden)
    probing = probes(data, max(drill.scale(profile).probes for drill in drills), seed)
    # What these complain of is meant.
    with _unheard("psycopg", "rag_core"):
        async with _site(data, probing) as (site, scorer):
            runs = []
            with progress_bar(len(drills), "drills", "drill") as bar:
                for drill in drills:
                    runs.append(await hold(site, scorer, drill, profile, seed))
                    bar.update()
    return DrillsRun(runs, data.digest, profile, seed, time.perf_counter() - began)


@contextmanager
def _unheard(*loggers: str) -> Iterator[None]:
    """Within the block these say nothing that is not critical; after it what they said before."""
    levels = {name: logging.getLogger(name).level for name in loggers}
    for name in levels:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)


async def hold(site: Site, scorer: Scorer, drill: Drill, profile: str, seed: int) -> DrillRun:
    """One drill: what happened, and what the answers given in its trouble were worth."""
    scale = drill.scale(profile)
    arrivals = drawn_arrivals(site.golden, scale, seed)
    async with scene(site, drill, scale) as here:
        await here.application.pipeline.answer(WARM_UP, arrivals[0].question.user)
        here.timeline.restart()
        watching = asyncio.create_task(here.watch_stub())
        asking = {each: asyncio.create_task(here.ask(each)) for each in arrivals}
        await _trouble(here, drill, scale)
        await _recovery(here, drill, scale)
        await _finish(here, asking)
        watching.cancel()
        await asyncio.wait([watching])
        await here.look()
    books = await site.postgres.costs()  # the application has closed: all is booked
    quality = await scorer.compared(here.timeline.ended)
    return DrillRun(drill, scale, here.timeline, books, quality)


async def _trouble(here: Scene, drill: Drill, scale: Scale) -> None:
    """Make it when its time comes, and end it when that is over."""
    timeline = here.timeline
    begin_s, end_s = scale.span(Phase.TROUBLE)
    await asyncio.sleep(begin_s - timeline.now_s)
    async with drill.trouble(here):
        begun_s = timeline.now_s
        await here.look()
        await asyncio.sleep(end_s - timeline.now_s)
        await here.look()
    timeline.trouble_s = (begun_s, timeline.now_s)


async def _recovery(here: Scene, drill: Drill, scale: Scale) -> None:
    """Wait until all is well again, or for as long as a recovery may last."""
    so_far = DrillRun(drill, scale, here.timeline)
    until_s = here.timeline.trouble_s[1] + LONGEST_RECOVERY_S
    awaited = [limit for limit in drill.limits if limit.aspect == "recovery"]

    def over() -> bool:
        known = all(limit.value(so_far) is not None for limit in awaited)
        return known or here.timeline.now_s > until_s

    await asyncio.sleep(scale.recovery_s)
    while not over():  # noqa: ASYNC110 - many things may end it, and none of them tells
        await asyncio.sleep(_LOOK_S)


async def _finish(here: Scene, asking: Mapping[Arrival, asyncio.Task[None]]) -> None:
    """Wait for what was sent; what was to be sent later is not."""
    now_s = here.timeline.now_s
    for arrival, task in asking.items():
        if arrival.at_s > now_s:
            task.cancel()
    await asyncio.wait(asking.values())
    for task in asking.values():
        if not task.cancelled():
            task.result()


@asynccontextmanager
async def _site(
    golden: GoldenSet, probing: Sequence[GoldenQuestion]
) -> AsyncIterator[tuple[Site, Scorer]]:
    """What the drills share: servers of their own with the golden notes, and who scores."""
    quoting = project_settings().model_copy(update={"generator": "extractive"})
    async with (
        held_open(quoting) as ready,
        assemble(ready, canary=CANARY) as application,
        running_stub() as stub,
    ):
        await ingest_golden(application, golden)
        alone = await ask_all(application, probing, evidence=False)
        extractive = {each.question.id: each.answer for each in alone if each.answer}
        measuring = await asyncio.to_thread(measuring_embedder, application.embedder, ready)
        vectors = Vectors(measuring)
        with (
            opened_light_checker(vectors, ready) as checker,
            TemporaryDirectory(prefix="rag-drills-") as folder,
        ):
            scorer = Scorer(Instruments(golden, vectors, checker), extractive)
            url = secret(ready.database_url) or ""
            async with own_postgres(Path(folder), url, list(golden.notes)) as postgres:
                yield (
                    Site(golden, application.embedder, application.tokenizer, postgres, stub),
                    scorer,
                )
