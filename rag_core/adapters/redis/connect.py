"""The driver for whatever a Redis URL names, made to fail at once instead of trying again."""

from __future__ import annotations

from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from rag_core.adapters.redis.address import SETTING, Address, RedisAddress, parse_address
from rag_core.adapters.redis.cluster import ClusterClient
from rag_core.adapters.redis.lean import LeanRedis, WaitingPool
from rag_core.adapters.redis.sentinel import PrimaryPool, Sentinels
from rag_core.errors import ConfigurationError

Driver = Redis | ClusterClient


def open_driver(url: str, *, max_connections: int, connect_timeout_s: float = 1.0) -> Driver:
    """A client for the server, cluster or watched service at `url`, which need not be up.

    It connects when it is first used, tries nothing twice and waits for a reply without end: bound
    each call with `asyncio.timeout`. A call so ended closes its connection, so that no reply is
    ever taken for that of another command. Whoever opens it closes it with `aclose`.

    Args:
        max_connections: to each server; who wants one more waits for a free one.
        connect_timeout_s: for the transport alone, not for what is said over it at first.

    Raises:
        ConfigurationError: the URL cannot be understood; shows no part of it.
    """
    address = parse_address(url)
    options = dict(address.options) | {
        "max_connections": max_connections,
        "timeout": None,
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": None,
        "socket_connect_timeout": connect_timeout_s,
        "health_check_interval": 0,
        # Off, a connection with bytes that nobody asked for is noticed before it is used again.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    try:
        return _driver(address, options, connect_timeout_s)
    except (TypeError, ValueError):  # their texts name options, which may be parts of a password
        raise ConfigurationError(
            SETTING, "has an option after its ? that the client does not know or take"
        ) from None


async def primaries(driver: Driver) -> tuple[Redis, ...]:
    """A client for each server that has keys of its own: for what is asked of all keys."""
    return await driver.primaries() if isinstance(driver, ClusterClient) else (driver,)


def _driver(address: RedisAddress, options: dict[str, Any], patience_s: float) -> Driver:
    if address.kind == "redis+sentinel":
        return _watched(address, options)
    if address.kind == "unix":
        return _one(UnixDomainSocketConnection, options)
    connection = SSLConnection if address.tls else Connection

    def connect(to: Address) -> Redis:
        return _one(connection, options | {"host": to[0], "port": to[1]})

    first = connect(address.hosts[0])
    if address.kind == "redis":
        return first
    return ClusterClient(address.hosts, connect, patience_s=patience_s)


def _one(connection: type[AbstractConnection], options: dict[str, Any]) -> Redis:
    pool = WaitingPool(connection_class=connection, **options)
    return _checked(pool)


def _watched(address: RedisAddress, options: dict[str, Any]) -> Redis:
    shared = ("retry", "socket_timeout", "socket_connect_timeout", "maint_notifications_config")
    own = {name: options[name] for name in shared} | dict(address.sentinel_login)
    tls = {name: value for name, value in options.items() if name.startswith("ssl_")}
    sentinels = Sentinels(address.hosts, **own, **tls, ssl=address.tls)
    pool = PrimaryPool(address.service, sentinels, ssl=address.tls, **options)
    return _checked(pool)


def _checked(pool: BlockingConnectionPool) -> Redis:
    """A client on `pool`; TypeError for an unknown option now, not with the first command."""
    pool.make_connection()
    return LeanRedis.from_pool(pool)
