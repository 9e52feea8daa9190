"""Troubles made during a load: kill -9 of what the application stands on, or of itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

import psutil

from loadtests.record.happened import Happened
from loadtests.rig.site import Site
from loadtests.stub_provider import Behaviour, ServerError
from loadtests.traffic.shape import Trouble, Victim

_LOOK_S = 0.05
_BACK_S = 30.0


async def make_troubles(
    site: Site, troubles: Sequence[Trouble], *, origin_s: float, calm: Sequence[Behaviour]
) -> list[Happened]:
    """Each at its moment, `origin_s` being the load's begin in seconds of `time.time()`.

    Args:
        calm: how the provider behaves when nothing is wrong with it.
    """
    happened = []
    for trouble in sorted(troubles, key=lambda each: each.at_s):
        await asyncio.sleep(trouble.at_s - (time.time() - origin_s))
        begun_s = time.time() - origin_s
        back = await _befall(site, trouble, calm)
        back_s = time.time() - origin_s if back else None
        happened.append(Happened(victim=trouble.victim, begun_s=begun_s, back_s=back_s))
    return happened


async def _befall(site: Site, trouble: Trouble, calm: Sequence[Behaviour]) -> bool:
    """Make it, and wait until its victim is back; whether it came back."""
    match trouble.victim:
        case Victim.STUB:
            await site.provider.kill()
            await asyncio.sleep(trouble.seconds)
            await site.provider.start()
            return True
        case Victim.PROVIDER:
            await site.provider.behave(ServerError(status=503))
            await asyncio.sleep(trouble.seconds)
            await site.provider.behave(*calm)
            return True
        case Victim.WORKER:
            return await _kill(site, "app", [_busiest_worker(site)])
        case Victim.REDIS | Victim.POSTGRES:
            return await _kill(site, trouble.victim, site.processes()[trouble.victim])


async def _kill(site: Site, part: str, victims: Sequence[psutil.Process]) -> bool:
    """kill -9; whether others took their place in time."""
    before = len(site.processes()[part])
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    with suppress(TimeoutError):
        async with asyncio.timeout(_BACK_S):
            while not _replaced(site, part, victims, before):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(_LOOK_S)
            return True
    return False


def _replaced(site: Site, part: str, victims: Sequence[psutil.Process], before: int) -> bool:
    """Whether as many run as before, or of a server with all its backends a first one."""
    running = [each for each in site.processes()[part] if each not in victims]
    return len(running) >= (before if part == "app" else 1)


def _busiest_worker(site: Site) -> psutil.Process:
    """The one of the application's processes below its first that has worked most."""
    workers = site.processes()["app"][1:]
    if not workers:
        raise ValueError("an application of one process has no worker to kill")
    return max(workers, key=lambda each: sum(each.cpu_times()[:2]))
