"""A load test from its first note to its last look: what happened is written to a folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from loadtests.record.happened import Happened
from loadtests.record.machine import commit, cores, cpu
from loadtests.record.resources import write_resources
from loadtests.record.run import Books, Run, write_run
from loadtests.record.sample import Sample, read_samples
from loadtests.record.saves import lost_saves, saved_places, serial_in
from loadtests.rig.child import ChildFailed, child, clean_environment, tail
from loadtests.rig.locust import JOINING_S, SECRET, START_S, arguments
from loadtests.rig.rest import at_rest, series
from loadtests.rig.sending import seed, sending, warm
from loadtests.rig.site import Site, running_site, tree
from loadtests.rig.troubles import make_troubles
from loadtests.rig.watch import Watch
from loadtests.stub_provider import Latency
from loadtests.traffic.calls import Calls
from loadtests.traffic.credentials import Signer
from loadtests.traffic.golden_notes import short_notes
from loadtests.traffic.order import Order
from loadtests.traffic.people import people
from loadtests.traffic.shape import Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is run, and by whom.

    `generators` is the number of processes that send from here, or where `joining` is set, the
    number of those on other machines. `url` and `secret` name an application that runs already,
    and to which no trouble is made; without them one is started.
    """

    shape: Shape
    folder: Path
    seed: int = 0
    generators: int = 1
    joining: bool = False
    url: str = ""
    secret: str = ""


async def run_load(plan: Plan) -> Run:
    """Run it; everything that it leaves is in the plan's folder.

    Raises:
        ChildFailed: a process did not start, or the generator broke.
    """
    async with AsyncExitStack() as stack:
        site = None
        if not plan.url:
            site = await stack.enter_async_context(running_site(plan.shape, plan.folder))
        return await _LoadTest(plan, site).run()


class _LoadTest:
    """A load test before a running application; `site` is None where that is not ours."""

    def __init__(self, plan: Plan, site: Site | None) -> None:
        self._plan, self._site = plan, site
        self._url = site.url if site else plan.url
        self._secret = site.secret if site else plan.secret
        self._everyone = people(plan.shape.people, short_notes(), seed=plan.seed)
        self._calls = Calls(self._everyone, Signer(self._secret))
        self._generator_pid = 0
        self._watch = Watch(self._processes)

    async def run(self) -> Run:
        """All of it, in its order."""
        began, plan = datetime.now(UTC), self._plan
        notes, warmed = await self._prepare()
        before = await at_rest(self._site) if self._site else None
        troubles = await self._load()
        after = await at_rest(self._site, like=before) if self._site else None
        write_resources(self._watch.usages, plan.folder)
        samples = read_samples(plan.folder)
        found = await self._saved(samples)
        run = Run(
            shape=plan.shape, seed=plan.seed, began=began.isoformat(timespec="seconds"),
            commit=commit(), cpu=cpu(), cores=cores(),
            generators=plan.generators, notes=notes, warmed=warmed, troubles=troubles,
            lost=lost_saves(samples, found), saves=len(found), rest_before=before,
            rest_after=after, books=await self._books(), series=await series(self._url),
        )  # fmt: skip
        write_run(run, plan.folder)
        return run

    async def _prepare(self) -> tuple[int, int]:
        """Notes and warm caches, from a provider in haste; then it takes its time."""
        async with sending(self._url) as sender:
            notes = await seed(sender, self._calls, self._everyone)
            ranks = self._plan.shape.warm_ranks
            warmed = await warm(sender, self._calls, self._everyone, ranks)
        if self._site:
            await self._site.provider.behave(self._calm)
        return notes, warmed

    @property
    def _calm(self) -> Latency:
        return Latency(seconds=self._plan.shape.provider_s)

    async def _load(self) -> list[Happened]:
        """The load, watched, with its troubles."""
        plan, log = self._plan, self._plan.folder / "locust.log"
        origin_s = time.time() + (JOINING_S if plan.joining else START_S)
        self._watch.origin_s = origin_s
        command = arguments(
            Order(shape=plan.shape, seed=plan.seed, origin_s=origin_s), self._url, plan.folder,
            generators=plan.generators, joining=plan.joining,
        )  # fmt: skip
        environment = clean_environment() | {SECRET: self._secret}
        async with child(command, environment, log) as locust, self._watch.running():
            self._generator_pid = locust.pid
            troubles = asyncio.create_task(self._troubles(origin_s))
            if await locust.wait():
                troubles.cancel()
                raise ChildFailed(f"the generator ended with {locust.returncode}: {tail(log, 20)}")
            return await troubles

    async def _troubles(self, origin_s: float) -> list[Happened]:
        if not self._site:
            return []
        troubles = self._plan.shape.troubles
        return await make_troubles(self._site, troubles, origin_s=origin_s, calm=[self._calm])

    def _processes(self) -> Mapping[str, Iterable[psutil.Process]]:
        of_site = self._site.processes() if self._site else {}
        return {**of_site, "generator": tree(self._generator_pid) if self._generator_pid else []}

    async def _saved(self, samples: list[Sample]) -> dict[tuple[int, str], int | None]:
        """The serial that each note says which somebody tried to save."""
        places = saved_places(samples)
        calls = [self._calls.read(self._everyone[person], note) for person, note in places]
        async with sending(self._url) as sender:
            replies = await sender.send_all(calls, "reading what was saved")
        serials = (serial_in(body) for _, body in replies)
        return dict(zip(places, serials, strict=True))

    async def _books(self) -> Books | None:
        """The provider's bill beside the application's books."""
        if not self._site:
            return None
        bill, billed_usd = await self._site.billed()
        booked = await self._site.booked()
        return Books(
            billed_calls=bill.calls, billed_usd=billed_usd, booked_calls=booked.calls,
            booked_usd=booked.usd, uncertain_calls=bill.uncertain,
        )  # fmt: skip
