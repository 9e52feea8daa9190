"""SIGHUP: the settings are read again, and the canary that they name is the canary from then on."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from rag_core.bootstrap.rollout import Rollout
from rag_core.errors import RagError
from rag_core.settings import PREFIX, Settings

Read = Callable[[], Settings]
"""Reads the settings from where they came from."""

_CANARY = ("canary_percent", "canary_settings")
_log = logging.getLogger(__name__)


def with_canary_of(settings: Settings, latest: Settings) -> Settings:
    """`settings` with the canary of `latest`: a worker that replaces another has today's."""
    return settings.model_copy(update={name: getattr(latest, name) for name in _CANARY})


@asynccontextmanager
async def reloading(rollout: Rollout, read: Read | None) -> AsyncIterator[None]:
    """Hear SIGHUP while the block runs; without `read` it is left as it was."""
    if read is None:
        yield
        return
    loop, first, under_way = asyncio.get_running_loop(), read(), set[asyncio.Task[None]]()

    def begin() -> None:
        task = asyncio.create_task(_reload(rollout, read, first))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    loop.add_signal_handler(signal.SIGHUP, begin)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        await asyncio.gather(*under_way)


async def _reload(rollout: Rollout, read: Read, first: Settings) -> None:
    try:
        settings = await asyncio.to_thread(read)
        await rollout.change(settings)
    except RagError as error:
        _log.error("the canary stays as it is: %s", error)
        return
    if others := _changed(first, settings):
        _log.warning("restart to have what else changed: %s", ", ".join(others))


def _changed(before: Settings, after: Settings) -> list[str]:
    """Variables that differ, beside the canary's."""
    fields = sorted(set(Settings.model_fields) - set(_CANARY))
    differ = (name for name in fields if getattr(before, name) != getattr(after, name))
    return [PREFIX + name.upper() for name in differ]
