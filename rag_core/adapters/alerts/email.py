"""Alerts by e-mail."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from rag_core.budget import Alert
from rag_core.errors import Unavailable

TIMEOUT_S = 10.0
_SUBJECT = "[rag_core] budget alert: {kind}"


class EmailAlerts:
    """AlertListener that sends one e-mail an alert, from a thread of its own.

    Args:
        url: `smtps://user:password@host:465` speaks TLS from the start; `smtp://host:587` goes over
            to TLS where the server offers it, and sends no password where it does not.
        sender: who it is from.
        to: addresses, separated by commas.
    """

    name = "e-mail"

    def __init__(self, url: str, *, sender: str, to: str, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._sender, self._to, self._timeout_s = url, sender, to, timeout_s

    async def deliver(self, alert: Alert) -> None:
        """See `AlertListener`."""
        message = EmailMessage()
        message["Subject"] = _SUBJECT.format(kind=alert.kind)
        message["From"], message["To"] = self._sender, self._to
        message.set_content(f"{alert.sentence}\n\nAt {alert.at:%Y-%m-%d %H:%M} UTC.\n")
        try:
            await asyncio.to_thread(self._send, message)
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server failed: {type(error).__name__}") from None

    def _send(self, message: EmailMessage) -> None:
        url = urlsplit(self._url)
        with self._connected(url.scheme, url.hostname or "", url.port) as server:
            encrypted = url.scheme == "smtps"
            if not encrypted and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
                encrypted = True
            if url.username and url.password:
                if not encrypted:
                    raise smtplib.SMTPNotSupportedError("no TLS: the password is not sent")
                server.login(unquote(url.username), unquote(url.password))
            server.send_message(message)

    def _connected(self, scheme: str, host: str, port: int | None) -> smtplib.SMTP:
        if scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port or 465, timeout=self._timeout_s, context=context)
        server = smtplib.SMTP(host, port or 587, timeout=self._timeout_s)
        server.ehlo()
        return server
