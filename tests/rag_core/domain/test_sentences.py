"""Sentences are found without losing a character."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import sentence_spans, split_sentences

PROSE = st.text(alphabet="aB1 .!?…\"'”)\n\tDr—é", max_size=120)


@given(st.one_of(PROSE, st.text(max_size=120)))
def test_only_white_space_lies_outside_the_sentences(text: str) -> None:
    outside, at = [], 0
    for start, end in sentence_spans(text):
        outside.append(text[at:start])
        at = end
    assert "".join([*outside, text[at:]]).strip() == ""


@given(st.one_of(PROSE, st.text(max_size=120)))
def test_spans_are_in_order_and_begin_and_end_with_something_visible(text: str) -> None:
    at = 0
    for start, end in sentence_spans(text):
        assert at <= start < end
        assert text[start:end] == text[start:end].strip()
        at = end


def test_sentences_end_where_a_reader_would_say() -> None:
    for text, expected in [
        ("Grace came. Truth too.", ["Grace came.", "Truth too."]),
        ("Who is he? A king! Amen…  So be it.", ["Who is he?", "A king!", "Amen…", "So be it."]),
        ("He said, “Come.” They came.", ["He said, “Come.”", "They came."]),
        ("See Rev. Henry on it. Good.", ["See Rev. Henry on it.", "Good."]),
        ("Cf. Gen. 4:1 and Ps. 23. Read both.", ["Cf. Gen. 4:1 and Ps. 23.", "Read both."]),
        ("He said no. Then Dan. Left.", ["He said no.", "Then Dan.", "Left."]),
        ("No. 5 is next. So be it.", ["No. 5 is next.", "So be it."]),
        ("(cf. Rom. 8:1) holds. Yes.", ["(cf. Rom. 8:1) holds.", "Yes."]),
        ("C. S. Lewis wrote it. I read it.", ["C. S. Lewis wrote it.", "I read it."]),
        ("It is I. Be not afraid.", ["It is I.", "Be not afraid."]),
        ("“Why?” he asked. Nobody knew.", ["“Why?” he asked.", "Nobody knew."]),
        ("A line\nruns on. Next.", ["A line\nruns on.", "Next."]),
        ("No mark\n\nAnother paragraph", ["No mark", "Another paragraph"]),
        ("No mark\n \t\nAnother", ["No mark", "Another"]),
        ("Rom.\n\nA list", ["Rom.", "A list"]),
        ("At 3.16 he wept.", ["At 3.16 he wept."]),
        ("Waiting... Then light.", ["Waiting...", "Then light."]),
        (
            "It was foretold: 1. He suffers. 2. He rises.",
            ["It was foretold: 1. He suffers.", "2. He rises."],
        ),
        ("Read Ge 12:3, 4. Then rest.", ["Read Ge 12:3, 4.", "Then rest."]),
        ("", []),
        (" \n ", []),
    ]:
        assert split_sentences(text) == expected
