"""Answers as bytes: equal after the way there and back, and never an error."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import inspect

from rag_core.cache import VERSION, CachedAnswer, Epoch, decode_answer, decode_cached, encode
from rag_core.clock import ManualClock
from rag_core.domain import Answer, Citation, Flag, Provenance, Usage
from tests.rag_core.cache.parts import ANSWER, cached_answer

numbers = st.floats(allow_nan=False)
counts = st.integers(0, 2**63 - 1)
citations = st.builds(
    Citation,
    number=counts,
    note_id=st.text(),
    chunk_id=st.text(),
    title=st.text(),
    date=st.none() | st.dates(),
    verses=st.lists(st.text()).map(tuple),
    quote=st.text(),
    start=counts,
    end=counts,
)
answers = st.builds(
    Answer,
    text=st.text(),
    provenance=st.sampled_from(Provenance),
    citations=st.lists(citations, max_size=3).map(tuple),
    usage=st.builds(Usage, counts, counts),
    cost_usd=numbers,
    generator=st.text(),
    model=st.text(),
    flags=st.lists(st.sampled_from(Flag)).map(tuple),
    attack=st.none() | st.text(),
    evidence=st.text(),
    timings_ms=st.dictionaries(st.text(), numbers),
)
cached_answers = st.builds(
    CachedAnswer,
    answer=answers,
    epoch=st.text().map(Epoch),
    soft_expires_at=numbers,
    hard_expires_at=numbers,
    took_ms=numbers,
)
garbage = st.binary() | st.binary().map(lambda body: VERSION + body)


@given(cached_answers)
def test_a_cached_answer_survives_the_way_there_and_back(stored: CachedAnswer) -> None:
    assert decode_cached(encode(stored)) == stored


@given(answers)
def test_an_answer_survives_the_way_there_and_back(stored: Answer) -> None:
    assert decode_answer(encode(stored)) == stored


@given(cached_answers, st.binary(min_size=1, max_size=1).filter(lambda version: version != VERSION))
def test_another_version_is_none(stored: CachedAnswer, version: bytes) -> None:
    assert decode_cached(version + encode(stored)[1:]) is None
    assert decode_answer(version + encode(stored.answer)[1:]) is None


@given(garbage)
@example(b"")
@example(VERSION + b"\x81\xa1x" + b"\x91" * 100_000)
@example(VERSION + b"\x81\xa4text\xa1\xff")
def test_garbage_is_none_and_no_error(value: bytes) -> None:
    assert decode_cached(value) is None
    assert decode_answer(value) is None


@given(st.data(), st.integers(0, 60))
def test_a_cut_answer_is_none(data: st.DataObject, missing: int) -> None:
    whole = encode(data.draw(cached_answers))
    assert decode_cached(whole[: len(whole) - 1 - missing]) is None


def test_an_answer_is_no_cached_answer_and_nothing_is_none() -> None:
    assert decode_cached(encode(ANSWER)) is None
    assert decode_answer(encode(cached_answer(ManualClock()))) is None
    assert decode_cached(None) is None


def test_fields_that_change_need_another_version() -> None:
    """Fails when a field is added, renamed or removed: then raise VERSION, and change this."""
    kinds = (CachedAnswer, Answer, Citation, Usage)
    infos = inspect.multi_type_info(kinds)
    fields = [[field.name for field in kind.fields] for kind in infos]
    assert VERSION == b"\x02"
    assert fields == [
        ["answer", "epoch", "soft_expires_at", "hard_expires_at", "took_ms"],
        [
            *("text", "provenance", "citations", "usage", "cost_usd", "generator", "model"),
            *("flags", "attack", "evidence", "timings_ms"),
        ],
        [
            *("number", "note_id", "chunk_id", "title", "date", "verses", "quote"),
            *("start", "end"),
        ],
        ["input_tokens", "output_tokens"],
    ]
