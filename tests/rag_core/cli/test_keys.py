"""The commands on API keys."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from rag_core.__main__ import main
from rag_core.access import ApiKey

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    own_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.setenv("RAG_DATABASE_URL", own_database)

    def run(*given: str) -> tuple[int, str, str]:
        code = main(["keys", *given])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def test_a_key_is_printed_alone_so_that_a_script_can_take_it(run: Run) -> None:
    code, out, err = run("add", "--user", "ruth", "--plan", "pro", "--name", "laptop")
    assert code == 0
    key = ApiKey.parse(out.strip())
    assert key is not None
    assert out == f"{key.text}\n"
    assert f"keys revoke {key.prefix}" in err
    assert key.text not in err


def test_a_key_is_listed_without_its_secret_and_then_as_revoked(run: Run) -> None:
    keys = {}
    for user in ("ruth", "boaz"):
        keys[user] = ApiKey.parse(run("add", "--user", user, "--days", "30")[1].strip())
    ruths = keys["ruth"]
    assert ruths is not None
    _, out, _ = run("list", "--user", "ruth", "--json")
    (record,) = json.loads(out)
    assert (record["prefix"], record["user"], record["revoked_at"]) == (ruths.prefix, "ruth", None)
    assert record["expires_at"]
    _, out, _ = run("list")
    assert "boaz" in out
    assert ruths.prefix in out
    assert ruths.text not in out
    code, out, _ = run("revoke", ruths.prefix)
    assert (code, "within 5 s" in out) == (0, True)
    _, out, _ = run("list", "--user", "ruth", "--json")
    assert json.loads(out)[0]["revoked_at"]


def test_a_whole_key_names_itself_and_is_not_repeated(run: Run) -> None:
    text = run("add", "--user", "ruth")[1].strip()
    code, out, err = run("revoke", text)
    assert code == 0
    assert text not in out + err


def test_what_is_not_there_is_not_revoked(run: Run) -> None:
    code, out, err = run("revoke", "000000000000")
    assert (code, out) == (2, "")
    assert "keys list" in err
    assert err.count("\n") == 1


def test_where_there_are_none_it_is_said_how_to_make_one(run: Run) -> None:
    code, out, _ = run("list")
    assert code == 0
    assert "keys add --user" in out


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("add",), "--user"),
        (("add", "--user", "{}"), "user"),
        (("add", "--user", "ruth", "--days", "0"), "--days"),
        (("revoke",), "prefix"),
        ((), "keys --help"),
        (("mint",), "mint"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    capsys: pytest.CaptureFixture[str], given: tuple[str, ...], named: str
) -> None:
    assert main(["keys", *given]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert named.lower() in printed.err.lower()
    assert printed.err.count("\n") == 1
