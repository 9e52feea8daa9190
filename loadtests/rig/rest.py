"""The application when nobody asks: what it holds then, and how many series it shows."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

import httpx2
import psutil

from loadtests.record.run import Rest
from loadtests.rig.site import Site

_SETTLED_S, _STILL_S, _LOOK_S = 20.0, 6.0, 0.5
"""How long it may take to settle; unchanged for how long it has; every how often it is looked at.

Kept connections to a provider close after five seconds without use, httpx2's default.
"""


async def at_rest(site: Site, *, like: Rest | None = None) -> Rest:
    """What it holds, once that is no more than `like`, stands still, or has had its time."""
    began = still_since = time.monotonic()
    last = None
    while True:
        rest, now = await asyncio.to_thread(_rest, site), time.monotonic()
        held = (rest.fds, rest.connections)
        if held != last:
            last, still_since = held, now
        settled = rest.connections == 0 and (like is None or rest.fds <= like.fds)
        if settled or now - still_since > _STILL_S or now - began > _SETTLED_S:
            return rest
        await asyncio.sleep(_LOOK_S)


async def series(url: str) -> int | None:
    """The number of series at /metrics; None where there are no metrics."""
    async with httpx2.AsyncClient(trust_env=False) as http:
        response = await http.get(f"{url}/metrics")
    if response.status_code != 200:
        return None
    return sum(bool(line) and not line.startswith("#") for line in response.text.splitlines())


def _rest(site: Site) -> Rest:
    """Connections are those of clients: to the port at which the application listens."""
    rss = fds = threads = connections = 0
    for process in site.processes()["app"]:
        with suppress(psutil.NoSuchProcess):
            rss += process.memory_info().rss
            fds += process.num_fds()
            threads += process.num_threads()
            connections += sum(
                each.laddr.port == site.port and each.status == psutil.CONN_ESTABLISHED
                for each in process.net_connections("tcp")
            )
    return Rest(rss_bytes=rss, fds=fds, threads=threads, connections=connections)
