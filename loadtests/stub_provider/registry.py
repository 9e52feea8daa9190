"""All behaviours by name, and what each does in words."""

from __future__ import annotations

import json
from typing import get_args

import msgspec

from loadtests.stub_provider.behaviours import (
    Behaviour,
    ConfidentlyWrong,
    ContentFilter,
    ContextOverflow,
    CutMidStream,
    Empty,
    Extract,
    Garbage,
    Hang,
    Latency,
    Loading,
    LognormalLatency,
    OutOfCredit,
    RateLimit,
    Refusal,
    Say,
    ServerError,
    SlowDrip,
)
from loadtests.stub_provider.obeying import Obey

AnyBehaviour = (
    Extract | Obey | Say | ConfidentlyWrong | Empty | Latency | LognormalLatency | SlowDrip | Hang
    | ServerError | Loading | RateLimit | OutOfCredit | ContextOverflow | ContentFilter | Refusal
    | CutMidStream | Garbage
)  # fmt: skip


def name_of(behaviour: Behaviour | type[Behaviour]) -> str:
    """What a script calls `behaviour`: its class's name in snake case."""
    return str(behaviour.__struct_config__.tag)


BEHAVIOURS: dict[str, type[Behaviour]] = {name_of(each): each for each in get_args(AnyBehaviour)}
"""All behaviours by the name that a script calls them."""


def described() -> dict[str, str]:
    """What each behaviour does, with its fields and their defaults, by its name."""
    return {name: f"{each.__doc__}{_fields(each)}" for name, each in BEHAVIOURS.items()}


def _fields(behaviour: type[Behaviour]) -> str:
    common = set(Behaviour.__struct_fields__)
    own = [field for field in msgspec.structs.fields(behaviour) if field.name not in common]
    shown = (
        each.name if each.required else f"{each.name}={json.dumps(each.default)}" for each in own
    )
    return f" Fields: {', '.join(shown)}." if own else ""
