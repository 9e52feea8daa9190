"""What a reply says: how the request ended, what it cost, and how long the pipeline took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from loadtests.record.sample import LOST
from loadtests.traffic.calls import Call

BROKEN_STREAM = "broken stream"
"""The outcome of a stream that ended without its answer."""


class _Body(msgspec.Struct):
    """An answer, or a problem (RFC 9457)."""

    provenance: str = ""
    cost_usd: float = 0.0
    timings_ms: Mapping[str, float] = {}
    code: str = ""


_decoder = msgspec.json.Decoder(_Body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was read of a reply; see `Sample` for the fields."""

    status: int
    outcome: str
    right: bool
    cost_usd: float = 0.0
    pipeline_ms: float | None = None
    etag: str = ""


def no_reply() -> Reply:
    """Of a request whose connection broke."""
    return Reply(0, LOST, right=False)


def read_reply(call: Call, status: int, body: bytes, etag: str = "") -> Reply:
    """What a whole reply says, `body` being an answer, a problem, or nothing that is read."""
    try:
        said = _decoder.decode(body)
    except msgspec.MsgspecError:
        said = _Body()
    outcome = said.provenance or said.code or _plain(call, status)
    known = bool(said.provenance or said.code) or call.method != "POST"
    right = known and status in call.expects and call.outcome in ("", outcome)
    return Reply(status, outcome, right, said.cost_usd, _total_ms(said.timings_ms), etag)


def read_stream(call: Call, status: int, event: str, data: bytes) -> Reply:
    """What a stream says by its last event, `answer` or `error`."""
    reply = read_reply(call, status, data)
    if event == "answer":
        return reply
    outcome = reply.outcome if event == "error" else BROKEN_STREAM
    return Reply(status, outcome, right=False)


def _plain(call: Call, status: int) -> str:
    if status >= 400 or call.method == "POST":
        return f"status {status}"
    return "saved" if call.method == "PUT" else "read"


def _total_ms(timings_ms: Mapping[str, float]) -> float | None:
    return timings_ms.get("total", sum(timings_ms.values())) if timings_ms else None
