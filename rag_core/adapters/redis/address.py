"""What a Redis URL names: one server, a cluster, or a service that sentinels watch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from redis.asyncio.connection import parse_url

from rag_core.errors import ConfigurationError

Address = tuple[str, int]
"""Host and port."""

SETTING: Final = "RAG_REDIS_URL"

_FORMS = (
    "Write redis://:password@host:6379/0, unix:///path/valkey.sock, "
    "redis+cluster://host:port,host:port or redis+sentinel://host:port,host:port/service/0, "
    "with every special character of a password percent-encoded"
)
_TLS = {"rediss": "redis", "rediss+cluster": "redis+cluster", "rediss+sentinel": "redis+sentinel"}
_PORTS = {"redis+cluster": 6379, "redis+sentinel": 26379}


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """A URL, read and checked.

    `kind` is `redis`, `unix`, `redis+cluster` or `redis+sentinel`; `hosts` are the nodes or the
    sentinels, `options` what each connection is made with, login and database included.
    """

    kind: str
    tls: bool
    hosts: tuple[Address, ...]
    service: str
    options: Mapping[str, Any]
    sentinel_login: Mapping[str, str]


def parse_address(url: str) -> RedisAddress:
    """What `url` names.

    Raises:
        ConfigurationError: it cannot be understood. Says so without quoting it: a password with an
            unescaped sign can end up in any of its parts.
    """
    try:
        return _parsed(url)
    except ValueError:  # its text has parts of the URL, and so perhaps of the password
        raise _problem("cannot be parsed") from None


def _parsed(url: str) -> RedisAddress:
    parts = urlsplit(url)
    kind = _TLS.get(parts.scheme, parts.scheme)
    tls = kind != parts.scheme
    login, _, hosts = parts.netloc.rpartition("@")
    if parts.fragment or (kind != "unix" and "@" in f"{parts.path}{parts.query}"):
        raise _problem("has a / ? or # in what seems to be the password")
    if kind == "unix":
        if hosts or not parts.path:
            raise _problem("must have the socket's absolute path after unix://")
        return RedisAddress(kind, tls, (), "", _options(url), {})
    if kind == "redis":
        _must_be_database(parts.path)
        return RedisAddress(kind, tls, (_host(hosts, 6379),), "", _options(url), {})
    if kind not in _PORTS:
        raise _problem("does not begin with a scheme that is known")
    addresses = tuple(_host(host, _PORTS[kind]) for host in hosts.split(","))
    return _of_many(parts, kind, tls, login, addresses)


def _of_many(
    parts: SplitResult, kind: str, tls: bool, login: str, hosts: tuple[Address, ...]
) -> RedisAddress:
    service, _, database = parts.path.strip("/").rpartition("/")
    if kind == "redis+sentinel" and not service:
        service, database = database, ""
    _must_be_database(database)
    if kind == "redis+sentinel" and not service:
        raise _problem("must name the service after the sentinels: …/service")
    if kind == "redis+cluster" and (service or database.strip("0")):
        raise _problem("must not name a database: a cluster has only number 0")
    ours = {k.removeprefix("sentinel_"): v for k, v in parse_qsl(parts.query) if _is_ours(k)}
    theirs = "&".join(pair for pair in parts.query.split("&") if not _is_ours(pair))
    options = _options(f"redis://{login}@host/{database}?{theirs}")
    del options["host"]
    return RedisAddress(kind, tls, hosts, unquote(service), options, ours)


def _is_ours(option: str) -> bool:
    return option.startswith(("sentinel_username", "sentinel_password"))


def _options(url: str) -> dict[str, Any]:
    options = dict(parse_url(url))
    options.pop("connection_class", None)
    return options


def _host(text: str, port: int) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname and text.strip(":"):
        raise _problem("has a host without a name")
    return parts.hostname or "localhost", parts.port or port


def _must_be_database(text: str) -> None:
    number = text.strip("/")
    if number and not number.isdecimal():
        raise _problem("has something else than a database's number at its end")


def _problem(problem: str) -> ConfigurationError:
    return ConfigurationError(SETTING, problem, _FORMS)
