"""HTTP as it comes in: a request may not be larger, nor longer on its way, than is usual."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_BYTES = 65_536
"""Bytes of a request line with its headers; eight times what is common, chosen."""

HEAD_TIMEOUT_S = 10.0
"""Seconds for a head to come; chosen."""

LINGER_S = 5.0
"""Seconds for the rest of a body that was refused: who is hung up on while he sends, as a rule
never reads why; chosen."""


class LimitedProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for headers without end.

    A head that comes in one piece, as nearly all do, costs nothing here.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_bytes = 0
        self._in_head = False
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`; the first head is waited for, too."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self._refuse("The request's head is too large.")
            elif self._too_late is None:
                self._wait()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head is there."""
        self._in_head = False
        if self._too_late:
            self._wait_no_more()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """A response was sent, perhaps before the request's body had come."""
        super().on_response_complete()
        if self.cycle.more_body and not self.transport.is_closing():
            self._wait_no_more()
            self._too_late = self.loop.call_later(LINGER_S, self.transport.close)

    def on_message_complete(self) -> None:
        """A request was read to its end."""
        if self._too_late:
            self._wait_no_more()
        super().on_message_complete()

    def _wait(self) -> None:
        late = "The request's head came too slowly."
        self._too_late = self.loop.call_later(HEAD_TIMEOUT_S, self._refuse, late)

    def _wait_no_more(self) -> None:
        if self._too_late:
            self._too_late.cancel()
            self._too_late = None

    def _refuse(self, why: str) -> None:
        self._wait_no_more()
        if not self.transport.is_closing():
            if self._in_head:
                self.send_400_response(why)
            self.transport.close()
