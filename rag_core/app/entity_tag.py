"""Entity tags: a note's version, and the conditions that a request sets on it (RFC 9110)."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from rag_core.domain.condition import Condition
from rag_core.errors import InvalidInput

_LIST = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')


def entity_tag(version: str) -> str:
    """The version as a strong entity tag."""
    return f'"{version}"'


def condition_of(headers: Headers) -> Condition:
    """What If-Match and If-None-Match hold a change to.

    Raises:
        InvalidInput: they cannot be read.
    """
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if none_match is not None and none_match.strip() != "*":
        raise InvalidInput("If-None-Match", "must be * where something is changed")
    exists = False if none_match is not None else None
    if match is None:
        return Condition(exists=exists)
    if match.strip() == "*":
        return Condition(exists=True) if exists is None else Condition(versions=frozenset())
    # A weak tag never matches: a change needs to know every letter.
    tags = _tags("If-Match", match)
    return Condition(versions=frozenset(tag for tag, weak in tags if not weak), exists=exists)


def is_known(headers: Headers, version: str) -> bool:
    """Whether a reader has this version already, as its If-None-Match says.

    Raises:
        InvalidInput: it cannot be read.
    """
    given = headers.get("if-none-match")
    if given is None:
        return False
    return given.strip() == "*" or version in {tag for tag, _ in _tags("If-None-Match", given)}


def _tags(name: str, value: str) -> list[tuple[str, bool]]:
    """Each tag, and whether it is a weak one."""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(value) or not found:
        tag = _LIST.match(value, position)
        if tag is None:
            raise InvalidInput(name, "holds no entity tags", 'Write "…", as ETag said it, or *')
        found.append((tag[2], bool(tag[1])))
        position = tag.end()
    return found
