"""Questions under way at once, and what the held generator says to them."""

from __future__ import annotations

import asyncio
from typing import Literal

import pytest

from rag_core.domain import Answer, Provenance
from rag_core.events import Answered
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.scene import QUESTION, Scene

FRESH, CACHED, STALE = Provenance.FRESH, Provenance.CACHED, Provenance.STALE

SENTENCES = [f"Grace is gift number {i}, as Paul has it in his letter [1]. " for i in range(20)]
"""Longer together than what is held back for fear of a leak."""
WHOLE = "".join(SENTENCES).strip()

Way = Literal["answer", "stream"]
ways = pytest.mark.parametrize("way", ["answer", "stream"])
Given = tuple[list[str], Answer]


def ask(scene: Scene, way: Way, question: str = QUESTION) -> asyncio.Task[Given]:
    """A question that is under way: the pieces, none without streaming, and the answer."""
    return asyncio.create_task(taken(scene, way, question))


async def taken(scene: Scene, way: Way, question: str = QUESTION) -> Given:
    if way == "stream":
        return await scene.stream(question)
    return [], await scene.ask(question)


async def joined(scene: Scene, count: int) -> None:
    """Return once so many questions wait for the same generation."""
    flights = scene.application.caches.flights
    await eventually(lambda: flights.waiting == [count])


def said(held: HeldGenerator, *sentences: str, call: int = -1) -> None:
    held.say(*sentences, call=call)
    held.end(call=call)


def costs_told(scene: Scene) -> list[float]:
    """What the events say was paid."""
    answered = [event for event in scene.events if isinstance(event, Answered)]
    return [event.cost_usd for event in answered if event.cost_usd]
