"""An answer as its reader gets it over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from rag_core.domain.answer import Answer, Citation, Flag, Provenance
from rag_core.domain.cost import Usage


class AnswerBody(msgspec.Struct, frozen=True):
    """What is told of an Answer; which attack a question was taken for is not."""

    text: str
    provenance: Provenance
    citations: tuple[Citation, ...]
    usage: Usage
    cost_usd: float
    generator: str
    model: str
    flags: tuple[Flag, ...]
    notice: str
    """A sentence for the reader of an answer from a lower rung of the ladder; empty else."""
    timings_ms: Mapping[str, float]
    digest: str
    """By which feedback names it."""


_encoder = msgspec.json.Encoder()


def encode_answer(answer: Answer) -> bytes:
    """The answer as JSON."""
    return _encoder.encode(answer_body(answer))


def answer_body(answer: Answer) -> AnswerBody:
    """What is told of the answer."""
    return AnswerBody(
        answer.text,
        answer.provenance,
        answer.citations,
        answer.usage,
        answer.cost_usd,
        answer.generator,
        answer.model,
        answer.flags,
        answer.notice,
        answer.timings_ms,
        answer.digest,
    )


def server_timing(timings_ms: Mapping[str, float]) -> bytes:
    """The header Server-Timing: each step's name and its milliseconds."""
    return ", ".join([f"{step};dur={ms:.2f}" for step, ms in timings_ms.items()]).encode()
