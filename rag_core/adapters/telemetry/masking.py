"""What no log line may hold: keys, tokens, passwords, e-mail addresses, and what was asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

from rag_core.correlation import PRIVATE_KEY, PRIVATE_TEXT

MASK = "[masked]"

_RULES = (
    # Credentials of a header, or what follows the name of a secret; the first word stays.
    re.compile(
        r"""(?P<kept>\b(?:bearer|basic)\s+ | (?:(?:api[_-]?key|token|secret|password|passwd)
        |authorization|cookie)["']?\s*[=:]\s*["']?(?:(?:bearer|basic)\s+)?)[^\s"',;&]{6,}""",
        re.IGNORECASE | re.VERBOSE,
    ),
    # JSON web tokens, and keys that say what they are of.
    re.compile(
        r"""\b(?:eyJ[\w-]{5,}\.[\w.-]+
        | (?:hf|sk|gsk|pk|rag|xox[abprs]|gh[oprsu])[_-][\w-]{16,})""",
        re.VERBOSE,
    ),
    # The user and the password of a URL.
    re.compile(r"(?P<kept>://)[^/\s:@]*:[^/\s@]+(?=@)"),
    # E-mail addresses.
    re.compile(r"[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+"),
)
NAMES = frozenset(
    {
        *("authorization", "cookie", "password", "secret", "token"),
        *("key", "api_key", "x-api-key", "x-provider-key"),
        *("question", "query", "prompt", "completion", "answer", "text", "title", "body", "notes"),
        *("email", "quote"),
    }
)
"""Fields of a log line whose values are masked, whatever they are."""

_PRIVATE_LETTERS = 4
"""A shorter question says nothing, and would mask every word that it happens to be."""


def mask(text: str) -> str:
    """`text` without secrets, addresses, and the question of the request that is under way."""
    if key := PRIVATE_KEY.get():
        text = text.replace(key, MASK)
    text = _without_secrets(text)
    private = PRIVATE_TEXT.get()
    if len(private) >= _PRIVATE_LETTERS and len(text) >= len(private) // 2:
        text = _question(private).sub(MASK, text)
    return text


@lru_cache(1_000)  # what lines are made of repeats
def _without_secrets(text: str) -> str:
    for rule in _RULES:
        text = rule.sub(_masked, text)
    return text


def masked(value: Any) -> Any:
    """The value, and whatever it is made of, masked."""
    match value:
        case str():
            return mask(value)
        case Mapping():
            return {name: MASK if _is_secret(name) else masked(v) for name, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(each) for each in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return mask(str(value))


def mask_fields(logger: Any, method: str, fields: MutableMapping[str, Any]) -> dict[str, Any]:
    """A processor of structlog's: every field, masked."""
    found: dict[str, Any] = masked(fields)
    return found


def _is_secret(name: Any) -> bool:
    return str(name).lower() in NAMES


def _masked(found: re.Match[str]) -> str:
    """What tells a reader that something was there stays."""
    return found.groupdict().get("kept", "") + MASK


@lru_cache(100)  # one for all lines of a request
def _question(private: str) -> re.Pattern[str]:
    """The question's words in a row, whatever stands between them, such as a `\\n` of a repr."""
    words = re.findall(r"\w+", private) or [private]
    return re.compile(r"(?:[\W_]|\\[nrt])+".join(map(re.escape, words)), re.IGNORECASE)
