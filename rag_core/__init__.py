"""Answers people's questions from their own notes, with citations.

    async with build(load_settings()) as pipeline:
        answer = await pipeline.answer("What did I note about grace?", user="ruth")

Names are imported when they are first used, so that `import rag_core` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # fmt: off
    from rag_core.bootstrap.application import Application, assemble, build
    from rag_core.domain.answer import Answer, Citation, Flag, Provenance
    from rag_core.domain.cost import Usage
    from rag_core.domain.notes import Note, Verses
    from rag_core.errors import (
        ConfigurationError, InvalidInput, ProviderError, RagError, Unauthenticated, Unavailable,
    )
    from rag_core.migrations import migrate
    from rag_core.pipeline import Pipeline
    from rag_core.settings import Settings, load_settings

__all__ = [
    "Answer",
    "Application",
    "Citation",
    "ConfigurationError",
    "Flag",
    "InvalidInput",
    "Note",
    "Pipeline",
    "Provenance",
    "ProviderError",
    "RagError",
    "Settings",
    "Unauthenticated",
    "Unavailable",
    "Usage",
    "Verses",
    "assemble",
    "build",
    "load_settings",
    "migrate",
]

_ROOMS = {
    "bootstrap": ("Application", "assemble", "build"),
    "domain": ("Answer", "Citation", "Flag", "Note", "Provenance", "Usage", "Verses"),
    "errors": (
        "ConfigurationError",
        "InvalidInput",
        "ProviderError",
        "RagError",
        "Unauthenticated",
        "Unavailable",
    ),
    "migrations": ("migrate",),
    "pipeline": ("Pipeline",),
    "settings": ("Settings", "load_settings"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
