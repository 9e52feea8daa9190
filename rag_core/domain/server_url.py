"""URLs of servers: refused before a driver can misread them, and shown without their secrets.

A driver that misreads a URL quotes it: `postgresql://u:p@ss@host` is looked up as the host
`ss@host`. So `check_url` comes before every driver, and `without_secrets` goes over whatever a
driver says afterwards.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from urllib.parse import unquote

from rag_core.errors import ConfigurationError

POSTGRES = ("postgresql", "postgres")
REDIS = (
    *("redis", "rediss", "unix"),
    *("redis+cluster", "rediss+cluster", "redis+sentinel", "rediss+sentinel"),
)
HTTP = ("http", "https")
SMTP = ("smtp", "smtps")
PIECE = 4
"""Characters in a row that count as a part of a secret."""
HIDDEN = "***"

_ENCODE = (
    "In user name, password and query write @ as %40, / as %2F, ? as %3F, # as %23, % as %25, "
    "[ as %5B, ] as %5D and a blank as %20"
)
_PARTS = re.compile(r"([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?", re.DOTALL)  # RFC 3986, appendix B
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:]*)(?::([0-9]{0,5}))?")
# Query parameters that may be shown; every other one may be a password or a key.
_SHOWN = frozenset(("host", "port", "dbname", "db", "user", "sslmode", "connect_timeout"))


def check_url(url: str, *, setting: str, schemes: Sequence[str], example: str) -> None:
    """Refuse a URL that two readers could read differently; says what is wrong, quotes nothing.

    Raises:
        ConfigurationError: names `setting`, and gives `example` or how to write the character.
    """
    scheme, separator, rest = url.partition("://")
    if scheme not in schemes or not separator:
        raise ConfigurationError(setting, f"must begin with {schemes[0]}://", f"Like {example}")
    if problem := _unclear(rest):
        raise ConfigurationError(setting, problem, _ENCODE)
    if problem := _wrong_address(_parts(rest)[0]):
        raise ConfigurationError(setting, problem, f"Like {example}")


def target(url: str) -> str:
    """Where a checked URL leads, `host:port/database`, without credentials and query."""
    authority, path, query, _ = _parts(url.partition("://")[2])
    return (authority.rpartition("@")[2] or _query_value(query, "host")) + path


def without_secrets(text: str, url: str) -> str:
    """`text` without any piece of what is secret in `url`."""
    return masked(text, _secrets(url))


def masked(text: str, secrets: Iterable[str]) -> str:
    """`text` with `***` for all that shares four characters in a row with a secret."""
    folded = [secret.casefold() for secret in secrets]
    hidden = set[int]()
    for start in range(len(text) - PIECE + 1):
        piece = text[start : start + PIECE].casefold()
        if any(piece in secret for secret in folded):
            hidden.update(range(start, start + PIECE))
    runs = groupby(enumerate(text), key=lambda place: place[0] in hidden)
    return "".join(
        HIDDEN if is_hidden else "".join(sign for _, sign in run) for is_hidden, run in runs
    )


def _parts(rest: str) -> tuple[str, str, str, str]:
    """Authority, path, query and fragment of what follows `://`; any text has them."""
    parts = _PARTS.fullmatch(rest)
    assert parts  # every part may be empty
    return parts[1], parts[2], parts[3] or "", parts[4] or ""


def _unclear(rest: str) -> str:
    """What makes it unclear where the password ends, in words that quote nothing."""
    if re.search(r"[\s\x00-\x1f\x7f]", rest):
        return "holds a blank or a control character"
    if re.search(r"%(?![0-9A-Fa-f]{2})", rest):
        return "holds a % that begins no percent-encoded character"
    authority, path, query, fragment = _parts(rest)
    if fragment or authority.count("@") > 1 or "@" in path + query:
        return "holds a character that must be percent-encoded"
    if re.search(r"[\[\]]", authority.rpartition("@")[0]):
        return "holds a bracket outside of the host"
    return ""


def _wrong_address(authority: str) -> str:
    for host in authority.rpartition("@")[2].split(","):
        match = _HOST.fullmatch(host)
        if match is None or (match[1] and not 0 < int(match[1]) < 65_536):
            return "has a host or a port that cannot be read; a port is a number up to 65535"
    return ""


def _secrets(url: str) -> Iterator[str]:
    """Whatever may be secret in a URL, well formed or not, as written and decoded."""
    scheme, separator, rest = url.partition("://")
    for secret in (_credentials(scheme, rest if separator else url), *_query_secrets(rest)):
        yield from {secret, unquote(secret)}


def _credentials(scheme: str, rest: str) -> str:
    """All up to the last @, but for a plain user name; all of a URL that is unclear."""
    before, at, _ = (rest, "@", "") if _unclear(rest) else rest.rpartition("@")
    if not at:  # what is no port number may be a password whose host was forgotten
        match = re.search(r":(?![0-9]{1,5}(?:[/?,]|$))(.*)", rest, re.DOTALL)
        return match[1] if match else ""
    if user := re.match(r"[\w.-]*:", before):
        return before[user.end() :]
    return "" if scheme in POSTGRES and re.fullmatch(r"[\w.-]*", before) else before


def _query_secrets(rest: str) -> Iterator[str]:
    """Values of what may not be shown; after one, names too: a & in it makes names of its rest."""
    after_one = False
    for pair in rest.partition("?")[2].split("&"):
        name, equals, value = pair.partition("=")
        if name.lower() not in _SHOWN:
            yield from (name, value) if after_one or not equals else (value,)
            after_one = True


def _query_value(query: str, name: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return next((unquote(value) for key, _, value in pairs if key == name), "")
