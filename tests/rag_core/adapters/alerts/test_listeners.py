"""Where alerts go, and what happens where they cannot."""

from __future__ import annotations

import io
import json
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime

import pytest

from rag_core.adapters.alerts import LogAlerts
from rag_core.adapters.alerts.email import EmailAlerts
from rag_core.adapters.alerts.webhook import WebhookAlerts, open_webhook
from rag_core.budget import NANO_PER_USD, Alert, delivering
from rag_core.domain import UserId
from rag_core.errors import Unavailable
from rag_core.events import AlertRaised, AlertUndelivered, Event
from tests.rag_core.adapters.alerts.receivers import HANG, Receiver, mail_receiver, webhook_receiver

ALERT = Alert(
    kind="nearly spent",
    scope="user",
    user=UserId("ruth"),
    spent_nano=4 * NANO_PER_USD,
    cap_nano=5 * NANO_PER_USD,
    at=datetime(2026, 3, 20, 12, tzinfo=UTC),
)
PATIENCE_S = 30.0


def webhook_of(receiver: Receiver) -> AbstractAsyncContextManager[WebhookAlerts]:
    """As patient as a busy machine needs, and without a pause between attempts."""
    return open_webhook(_url(receiver.port), timeout_s=PATIENCE_S, pause_s=0)


async def test_a_log_line_says_all_of_it() -> None:
    stream = io.StringIO()
    await LogAlerts(stream).deliver(ALERT)
    line = json.loads(stream.getvalue())
    assert (line["level"], line["kind"], line["user"]) == ("warning", "nearly spent", "ruth")
    assert (line["spent_usd"], line["cap_usd"], line["sentence"]) == (4.0, 5.0, ALERT.sentence)


async def test_a_webhook_gets_the_alert_as_json() -> None:
    async with webhook_receiver(204) as hook, open_webhook(_url(hook.port)) as webhook:
        await webhook.deliver(ALERT)
    (sent,) = hook.alerts
    assert sent["sentence"] == ALERT.sentence
    assert sent["at"] == "2026-03-20T12:00:00+00:00"


@pytest.mark.parametrize("failure", [429, 500, 503])
async def test_a_webhook_that_fails_once_is_asked_again(failure: int) -> None:
    async with webhook_receiver(failure, 200) as hook, webhook_of(hook) as webhook:
        await webhook.deliver(ALERT)
    assert len(hook.alerts) == 2


@pytest.mark.parametrize(("status", "attempts"), [(400, 1), (404, 1), (503, 3)])
async def test_a_webhook_is_not_asked_for_ever(status: int, attempts: int) -> None:
    async with webhook_receiver(status) as hook, webhook_of(hook) as webhook:
        with pytest.raises(Unavailable, match=str(status)):
            await webhook.deliver(ALERT)
    assert len(hook.alerts) == attempts


async def test_a_webhook_that_refuses_or_hangs_is_given_up_and_its_secret_kept() -> None:
    async with webhook_receiver(HANG) as hook:
        for url, timeout_s in ((_url(hook.port), 0.05), (_url(_nobodys_port()), PATIENCE_S)):
            async with open_webhook(url, timeout_s=timeout_s, pause_s=0) as webhook:
                with pytest.raises(Unavailable) as raised:
                    await webhook.deliver(ALERT)
            assert "s3cret" not in str(raised.value)


async def test_a_webhook_that_hangs_holds_up_nobody() -> None:
    """Telling returns, and the log has the alert, while the webhook is still waited for."""
    stream, events = io.StringIO(), list[Event]()
    async with webhook_receiver(HANG) as hook, webhook_of(hook) as webhook:
        listeners = (webhook, LogAlerts(stream))
        async with delivering(listeners, emit=events.append, last_deliveries_s=0.05) as tell:
            tell(ALERT)
            assert stream.getvalue() == ""  # it goes on its way when others have their turn
            await hook.arrived.wait()
            assert ALERT.sentence in stream.getvalue()
    assert [each.listener for each in events if isinstance(each, AlertUndelivered)] == ["webhook"]


async def test_what_a_listener_cannot_take_is_dropped_and_said() -> None:
    events: list[Event] = []
    async with (
        webhook_receiver(HANG) as hook,
        webhook_of(hook) as webhook,
        delivering([webhook], emit=events.append, last_deliveries_s=0.0) as tell,
    ):
        for _ in range(150):
            tell(ALERT)
    assert events.count(AlertRaised("nearly spent", "user")) == 150
    assert events.count(AlertUndelivered("webhook", "QueueFull")) == 50


async def test_what_fails_for_one_listener_is_said_and_the_next_alert_is_tried() -> None:
    events: list[Event] = []
    async with (
        webhook_receiver(400, 200) as hook,
        webhook_of(hook) as webhook,
        delivering([webhook], emit=events.append) as tell,
    ):
        tell(ALERT)
        tell(ALERT)
    assert len(hook.alerts) == 2
    assert len([each for each in events if isinstance(each, AlertUndelivered)]) == 1


async def test_an_e_mail_is_sent() -> None:
    async with mail_receiver() as server:
        url = f"smtp://127.0.0.1:{server.port}"
        mail = EmailAlerts(url, sender="rag@example.org", to="a@example.org, b@example.org")
        await mail.deliver(ALERT)
    (sent,) = server.mails
    assert sent["To"] == "a@example.org, b@example.org"
    assert ALERT.sentence in str(sent.get_payload())


async def test_a_password_is_not_sent_without_tls() -> None:
    async with mail_receiver() as server:
        url = f"smtp://ruth:s3cret@127.0.0.1:{server.port}"
        mail = EmailAlerts(url, sender="rag@example.org", to="a@example.org")
        with pytest.raises(Unavailable) as raised:
            await mail.deliver(ALERT)
    assert server.logins == server.mails == []
    assert "s3cret" not in str(raised.value)


async def test_a_mail_server_that_is_not_there_is_said() -> None:
    url = f"smtps://127.0.0.1:{_nobodys_port()}"
    with pytest.raises(Unavailable):
        await EmailAlerts(url, sender="rag@example.org", to="a@example.org").deliver(ALERT)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}/s3cret"


def _nobodys_port() -> int:
    return 1
