"""A connection of the generator: it takes the next arrival, waits for its moment, and sends it."""

from __future__ import annotations

from typing import Any

import gevent
from locust import FastHttpUser, constant, task
from locust.contrib.fasthttp import FAILURE_EXCEPTIONS, ResponseContextManager
from locust.exception import StopUser

from loadtests.generator.load import Load
from loadtests.record.reply import Reply, no_reply, read_reply, read_stream
from loadtests.traffic.calls import Call

_EVENT_END = b"\n\n"


class Caller(FastHttpUser):
    """One of many, so that what is due is sent at its moment, whatever is still under way."""

    wait_time = constant(0)
    concurrency = 1
    connection_timeout = 10.0
    network_timeout = 45.0  # the application ends every question after 30 s

    @task
    def send_next(self) -> None:
        """Send one arrival; when none is left, end."""
        load: Load = self.environment.load
        due = load.next()
        if due is None:
            raise StopUser
        gevent.sleep(max(0.0, due.arrival.at_s - load.now_s))
        sent_s = load.now_s
        with self._sent(due.call) as response:
            reply, first_s = _read(due.call, response, load)
            sample = load.record(due, reply, sent_s, first_s)
            response.request_meta["response_time"] = sample.latency_ms  # from the intended moment
            response.success() if reply.right else response.failure(reply.outcome)

    def _sent(self, call: Call) -> ResponseContextManager:
        return self.client.request(
            call.method, call.path, name=call.name, data=call.body.decode() or None,
            headers=dict(call.headers), catch_response=True, stream=call.streamed,
        )  # fmt: skip


def _read(call: Call, response: Any, load: Load) -> tuple[Reply, float | None]:
    """The reply, and when its first token came."""
    if not response.status_code:
        return no_reply(), None
    try:
        if call.streamed and response.status_code == 200:
            return _read_events(call, response._response, load)
        etag = response.headers.get("etag", "")
        return read_reply(call, response.status_code, response.content or b"", etag), None
    except FAILURE_EXCEPTIONS:
        return no_reply(), None


def _read_events(call: Call, source: Any, load: Load) -> tuple[Reply, float | None]:
    first_s, event, data = None, "", b""
    while block := source.readline(_EVENT_END):
        event, data = _parsed(block)
        if first_s is None and event in ("token", "answer"):
            first_s = load.now_s
    return read_stream(call, 200, event, data), first_s


def _parsed(block: bytes) -> tuple[str, bytes]:
    """The name and the data of an event."""
    fields = dict(line.partition(b": ")[::2] for line in block.strip().split(b"\n"))
    return fields.get(b"event", b"").decode(), fields.get(b"data", b"")
