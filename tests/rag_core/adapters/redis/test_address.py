"""Redis URLs: what they name, and that a mistake in one never shows its password."""

from __future__ import annotations

import pytest

from rag_core.adapters.redis import open_driver, parse_address
from rag_core.errors import ConfigurationError


def test_a_cluster_is_named_by_some_of_its_nodes() -> None:
    found = parse_address("redis+cluster://me:s%40y@one:7000,[::1]:7001,three")
    assert found.hosts == (("one", 7000), ("::1", 7001), ("three", 6379))
    assert found.options == {"username": "me", "password": "s@y"}
    assert not found.tls


def test_a_service_is_named_by_its_sentinels_and_its_name() -> None:
    url = "rediss+sentinel://:s3cr3t@one,two:26380/notes/2?sentinel_password=o%26ther"
    found = parse_address(url)
    assert found.hosts == (("one", 26379), ("two", 26380))
    assert (found.service, found.tls) == ("notes", True)
    assert found.options == {"password": "s3cr3t", "db": 2}
    assert found.sentinel_login == {"password": "o&ther"}


def test_a_watched_service_needs_no_database() -> None:
    for path in ["/notes", "/notes/", "/notes/0"]:
        assert parse_address(f"redis+sentinel://one{path}").service == "notes"


def test_a_mistake_names_the_setting_and_shows_no_part_of_the_password(
    subtests: pytest.Subtests,
) -> None:
    for url in [
        "s3cr3t",
        "http://:s3cr3t@host",
        "redis://:s3/cr3t@host:6379/0",
        "redis://:s3#cr3t@host:6379/0",
        "redis://:s3?cr3t@host:6379/0",
        "redis://:s3[cr3t@host:6379/0",
        "redis://:s3cr3t@host:s3cr3t/0",
        "redis://:s3cr3t@host:99999/0",
        "redis://:s3cr3t@host/s3cr3t",
        "redis://:s3cr3t@host/0?s3cr3t=1",
        "redis://:s3cr3t@host/0?socket_keepalive_options=s3cr3t&db=s3cr3t",
        "redis://:s3cr3t@one:7000,two:7001/0",
        "unix://:s3cr3t@",
        "unix://s3cr3t/valkey.sock",
        "redis+cluster://:s3cr3t@one,two/1",
        "redis+cluster://:s3cr3t@one,two/0?s3cr3t=1",
        "redis+cluster://:s3/cr3t@one,two",
        "redis+sentinel://:s3cr3t@one,two",
        "redis+sentinel://:s3cr3t@one,two/notes/s3cr3t",
        "redis+sentinel://:s3cr3t@one,two/notes/0?s3cr3t=1",
    ]:
        with subtests.test(url=url):
            with pytest.raises(ConfigurationError, match="RAG_REDIS_URL: ") as caught:
                open_driver(url, max_connections=1, connect_timeout_s=1.0)
            assert "s3" not in str(caught.value)
            assert "cr3t" not in str(caught.value)
            assert caught.value.__cause__ is None
