"""URLs: what two readers could read differently is refused, and no message shows a password."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import psycopg
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from redis.asyncio import ConnectionPool

from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.domain import (
    HTTP,
    PIECE,
    POSTGRES,
    REDIS,
    check_url,
    masked,
    target,
    without_secrets,
)
from rag_core.errors import ConfigurationError, RagError
from rag_core.migrations import migrate
from rag_core.settings import Settings

# None of these letters stands in a message of ours, so that whatever is found came from the URL.
PASSWORDS = st.text("XQZJKxqz089@/:?#%[]&=+,.'\"\\ \té~", min_size=PIECE, max_size=24)


def pieces(password: str) -> set[str]:
    """Everything of four characters in a row that could give the password away."""
    return {password[at : at + PIECE] for at in range(len(password) - PIECE + 1)}


def drivers_message(connect: Callable[[str], object], url: str) -> str:
    """What a driver says to a URL, as our messages would show it."""
    try:
        connect(url)
    except (psycopg.Error, ValueError) as error:
        return without_secrets(str(error), url)
    return ""


def our_message(use: Callable[[str], object], url: str) -> str:
    """What a user reads, and the repr beside it."""
    try:
        return repr(use(url))
    except (RagError, ValueError) as error:
        return f"{error} {error!r}"


class Letters:
    """A tokenizer for what is never asked to count."""

    def count(self, text: str) -> int:
        return len(text)

    def truncate(self, text: str, max_tokens: int) -> str:
        return text[:max_tokens]


def generator(url: str) -> object:
    return ChatCompletionsGenerator("local", "m", tokenizer=Letters(), base_url=url)


USES: dict[str, tuple[Callable[[str], object], str]] = {
    "migrate": (migrate, "postgresql://rag:{}@127.0.0.1:1/rag"),
    "settings, Postgres": (lambda u: Settings(database_url=u), "postgresql://rag:{}@host:5/rag"),
    "settings, Redis": (lambda u: Settings(redis_url=u), "redis://:{}@host:6/0"),
    "settings, provider": (lambda u: Settings(hf_base_url=u), "https://me:{}@host/v1"),
    "settings, a provider's key": (lambda u: Settings(hf_base_url=u), "https://host/v1?key={}"),
    "generator": (generator, "https://me:{}@host/v1"),
}


@pytest.mark.parametrize("use", USES)
@settings(max_examples=30)
@given(password=PASSWORDS, encoded=st.booleans())
@example("X@qz@JKXq", False)
@example("X%zzJKXq", False)
@example("XX qq JJKK", False)
@example("XX/qqJJKK#x", False)
def test_no_message_holds_four_characters_of_a_password(
    use: str, password: str, encoded: bool
) -> None:
    act, form = USES[use]
    url = form.format(quote(password, safe="") if encoded else password)
    shown = our_message(act, url)
    usual = our_message(act, form.format("0"))
    assert [piece for piece in pieces(password) if piece in shown and piece not in usual] == []


@pytest.mark.parametrize(
    ("connect", "form"),
    [
        (conninfo_to_dict, "postgresql://rag:{}@127.0.0.1:1/rag"),
        (conninfo_to_dict, "postgresql://127.0.0.1:1/rag?password={}"),
        (ConnectionPool.from_url, "redis://:{}@127.0.0.1:1/0"),
        (ConnectionPool.from_url, "redis://127.0.0.1:1/0?password={}"),
    ],
)
@settings(max_examples=30)
@given(password=PASSWORDS)
@example("X@qz@JKXq")
@example("X%zzJKXq")
@example("&0000=")
def test_what_a_driver_quotes_is_masked_even_of_a_url_that_was_not_checked(
    connect: Callable[[str], object], form: str, password: str
) -> None:
    shown = drivers_message(connect, form.format(password))
    usual = drivers_message(connect, form.format("0"))
    assert [piece for piece in pieces(password) if piece in shown and piece not in usual] == []


def test_a_password_that_a_driver_took_for_something_else_is_masked(
    subtests: pytest.Subtests,
) -> None:
    for url, said in [
        ("postgresql://rag:p@ss@word@host/rag", "failed to resolve host 'ss@word@host'"),
        ("postgresql://rag:password", 'invalid integer value "password" for option "port"'),
        ("redis://:pass/word@host", "Port could not be cast to integer value as 'pass'"),
        ("postgresql://host/rag?password", 'missing separator in query parameter "password"'),
    ]:
        with subtests.test(url=url, said=said):
            shown = without_secrets(said, url)
            assert "***" in shown
            assert "word" not in shown
            assert "pass'" not in shown


def test_an_unclear_url_is_refused_with_the_setting_and_the_fix(subtests: pytest.Subtests) -> None:
    for url, problem in [
        ("postgresql://rag:p@ss@host/rag", "must be percent-encoded"),
        ("postgresql://rag:pa/ss@host/rag", "must be percent-encoded"),
        ("postgresql://rag:pa?ss@host/rag", "must be percent-encoded"),
        ("postgresql://rag:pa#ss@host/rag", "must be percent-encoded"),
        ("postgresql://rag:pa[ss@host/rag", "a bracket"),
        ("postgresql://rag:p%zz@host/rag", "percent-encoded character"),
        ("postgresql://rag:pa ss@host/rag", "a blank"),
        ("postgresql://rag:password", "a port is a number"),
        ("postgresql://host:70000/rag", "a port is a number"),
        ("mysql://host/rag", "must begin with postgresql://"),
        ("host:5432/rag", "must begin with postgresql://"),
        ("", "must begin with postgresql://"),
    ]:
        with subtests.test(url=url, problem=problem):
            with pytest.raises(ConfigurationError, match=problem) as raised:
                check_url(
                    url, setting="RAG_X", schemes=POSTGRES, example="postgresql://localhost/rag"
                )
            assert raised.value.setting == "RAG_X"
            assert raised.value.fix


def test_a_clear_url_passes_and_is_shown_without_credentials() -> None:
    for url, schemes, leads_to in [
        ("postgresql://rag:p%40ss@host:5432/rag?sslmode=require", POSTGRES, "host:5432/rag"),
        ("postgres://a.b@one:1,two:2/rag", POSTGRES, "one:1,two:2/rag"),
        ("postgresql://postgres@/rag?host=/tmp/a%2Cb/run", POSTGRES, "/tmp/a,b/run/rag"),
        ("postgresql://", POSTGRES, ""),
        ("postgresql://u:p:w!$~^@[::1]:5432/rag", POSTGRES, "[::1]:5432/rag"),
        ("redis://:secret@host:6379/0", REDIS, "host:6379/0"),
        ("unix:///tmp/a%20b.sock?db=1", REDIS, "/tmp/a%20b.sock"),
        ("https://key@host/v1?key=secret", HTTP, "host/v1"),
    ]:
        check_url(url, setting="RAG_X", schemes=schemes, example="")
        assert target(url) == leads_to


def test_a_users_name_and_a_host_are_no_secret() -> None:
    said = 'connection to "db.example.org" failed: no role "rag_app", password "hunter22"'
    shown = without_secrets(said, "postgresql://rag_app:hunter22@db.example.org/rag")
    assert shown == said.replace("hunter22", "***")


def test_a_secret_is_masked_in_any_letter_case_and_in_part() -> None:
    assert masked("host 'SS@WORD' unknown", ["p@ss@word"]) == "host '***' unknown"
    assert masked("abc", ["abc"]) == "abc", "three letters are no part"
