"""Every event there is, with every value that its type allows, and names that nobody foresaw."""

from __future__ import annotations

import itertools
import typing
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from rag_core import events
from rag_core.domain import Flag, Provenance, Usage
from rag_core.errors import RagError

STEPS = (
    *("validate", "answer_cache", "embed", "retrieve", "context", "generate", "check", "store"),
    "ladder",
)
_UNUSED = {
    *((events.Answered, "generator"), (events.Answered, "model"), (events.StepFinished, "error")),
    *((events.ProviderCalled, "model"), (events.MoneySettled, "model")),
    *((events.RequestServed, "method"), (events.RequestServed, "error")),
    *((events.LeakBlocked, "generator"), (events.LeakBlocked, "model")),
    *((events.AlertRaised, "kind"), (events.AlertUndelivered, "reason")),
}
"""Fields that no label is made of: one value is enough."""


def classes() -> tuple[type[msgspec.Struct], ...]:
    """The classes of all events."""
    return get_args(events.Event)


def every_event(names: Sequence[str]) -> Iterator[events.Event]:
    """All combinations of what an event's fields may be; free text is each of `names`."""
    for kind in classes():
        hints = get_type_hints(kind, vars(events))
        fields = kind.__struct_fields__
        free = {name: names[:1] if (kind, name) in _UNUSED else names for name in fields}
        values = [_values(name, hints[name], free[name]) for name in fields]
        for combination in itertools.product(*values):
            yield kind(**dict(zip(fields, combination, strict=True)))


def _values(name: str, hint: Any, names: Sequence[str]) -> Sequence[Any]:
    if get_origin(hint) is typing.Literal:
        return get_args(hint)
    if hint is Provenance:
        return tuple(Provenance)
    if hint is Usage:
        return (Usage(), Usage(1_200, 90))
    if get_origin(hint) is tuple:
        return ((), tuple(Flag))
    if hint is bool:
        return (False, True)
    return _numbers_or_names(name, hint, names)


def _numbers_or_names(name: str, hint: Any, names: Sequence[str]) -> Sequence[Any]:
    if name == "status":
        return (200, 201, 204, 304, 400, 401, 404, 409, 412, 413, 429, 431, 499, 500, 503, 504)
    if name == "scope" and hint is str:
        return ("", "user", "all", "process")
    if name == "step":
        return (*STEPS, *names)
    if name in ("error", "outcome") and len(names) > 1:
        return ("", "ok", "cancelled", *_errors(), *names)
    return names if hint is str else (3,)


def _errors() -> list[str]:
    found = [RagError]
    for each in found:
        found += each.__subclasses__()
    return [each.__name__ for each in found]
