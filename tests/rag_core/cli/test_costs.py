"""The command that says what was spent."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from rag_core.__main__ import main
from rag_core.domain import UserId
from tests.rag_core.adapters.settled_calls import SettledCall, settle

RUTH, BOAZ = UserId("ruth"), UserId("boaz")


@pytest.fixture
async def spent(own_database: str) -> str:
    """A month of calls of two users; URL of their database."""
    now = datetime.now(UTC)
    for user, nano_usd in ((RUTH, 1_000_000), (BOAZ, 3_000_000)):
        calls = [
            SettledCall(user=user, at=now - timedelta(days=days, seconds=1), nano_usd=nano_usd)
            for days in range(20)
        ]
        await settle(own_database, calls)
    return own_database


def _run(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *given: str
) -> tuple[int, str, str]:
    monkeypatch.setenv("RAG_DATABASE_URL", url)
    code = main(["costs", *given])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_users_are_listed_dearest_first(
    spent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(spent, monkeypatch, capsys, "--by", "user", "--json")
    assert code == 0
    assert [(row["user"], row["usd"]) for row in json.loads(out)] == [
        ("boaz", 0.06),
        ("ruth", 0.02),
    ]


def test_a_users_costs_are_that_users_alone(
    spent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for by in ("user", "day", "week", "month", "provider", "model"):
        _, out, _ = _run(spent, monkeypatch, capsys, "--by", by, "--user", "ruth", "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        assert sum(float(row["usd"]) for row in rows) == pytest.approx(0.02)
        assert "boaz" not in out


def test_the_table_has_a_row_a_group(
    spent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = _run(spent, monkeypatch, capsys, "--by", "user")
    assert out.index("boaz") < out.index("ruth")
    assert "$0.0600" in out


def test_the_forecast_is_of_the_day_and_the_month(
    spent: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = _run(spent, monkeypatch, capsys, "forecast", "--json")
    assert code == 0
    for period in json.loads(out).values():
        assert period["low_usd"] <= period["expected_usd"] <= period["high_usd"]


@pytest.mark.parametrize("given", [(), ("forecast",), ("--by", "model")])
def test_where_nothing_was_spent_a_sentence_says_so(
    own_database: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
) -> None:
    code, out, _ = _run(own_database, monkeypatch, capsys, *given)
    assert code == 0
    assert out.count("\n") == 1
    assert "paid call" in out


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--since", "2026-03-02", "--until", "2026-03-01"), "--since"),
        (("--since", "yesterday"), "--since"),
        (("--by", "note"), "--by"),
        (("--user", "{}"), "user"),
        (("--json", "--csv"), "--csv"),
        (("forecast", "--csv"), "--csv"),
        (("--top", "0"), "--top"),
    ],
)
def test_a_mistake_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    given: tuple[str, ...],
    named: str,
) -> None:
    code, out, err = _run("postgresql://nobody@localhost:1/rag", monkeypatch, capsys, *given)
    assert (code, out) == (2, "")
    assert named in err
    assert err.count("\n") == 1
