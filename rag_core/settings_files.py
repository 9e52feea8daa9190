"""Secrets from files: `RAG_X_FILE=path` in place of `RAG_X`, as orchestrators mount them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FILE = "_FILE"

MAX_SECRET_BYTES = 65_536
"""A secret is shorter; whatever is longer is another file."""


class Unreadable(str):
    """In place of a secret whose file cannot be used: the reason."""


def with_secret_files(
    variables: Mapping[str, str | None], is_secret: Callable[[str], bool]
) -> dict[str, str | None]:
    """The variables, with what stands in the files that some of them name.

    Args:
        is_secret: whether a variable, in upper case, may be given by a file.
    """
    found = dict(variables)
    for variable, path in variables.items():
        if path and (name := secret_of(variable, is_secret)):
            del found[variable]
            twice = found.get(name.lower())
            found[name.lower()] = _twice(name) if twice else _content(variable.upper(), path)
    return found


def secret_of(variable: str, is_secret: Callable[[str], bool]) -> str:
    """The secret that `variable` gives a file for, in upper case; empty where it gives none."""
    name = variable.upper().removesuffix(FILE)
    return name if name != variable.upper() and is_secret(name) else ""


def refuse_unreadable(value: Any) -> Any:
    """The value, unless it is of a file that cannot be used.

    Raises:
        ValueError: names the variable and says why.
    """
    if isinstance(value, Unreadable):
        raise ValueError(str(value))
    return value


def _content(variable: str, path: str) -> str:
    """The secret without the line end that editors leave."""
    try:
        with Path(path).expanduser().open("rb") as file:
            content = file.read(MAX_SECRET_BYTES + 1)
        text = content.decode().rstrip("\r\n")
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Unreadable(f"{variable} names {path!r}, which cannot be read: {reason}")
    except UnicodeDecodeError:
        return Unreadable(f"{variable} names {path!r}, which is not UTF-8 text")
    if not text or len(content) > MAX_SECRET_BYTES:
        return Unreadable(
            f"{variable} names {path!r}, which holds {'too much' if text else 'nothing'}"
        )
    return text


def _twice(name: str) -> Unreadable:
    return Unreadable(f"{name} is given twice, by itself and by {name}{FILE}: give one of them")
