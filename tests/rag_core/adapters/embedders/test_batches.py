"""Batches hold texts of like length, each text once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_core.adapters.embedders import MAX_PADDING, length_sorted_batches

LENGTHS = st.lists(st.integers(min_value=1, max_value=256), max_size=200)


@given(LENGTHS, st.integers(min_value=1, max_value=2_000))
def test_each_text_comes_once_in_a_batch_within_bounds(lengths: list[int], pieces: int) -> None:
    batches = list(length_sorted_batches(lengths, max_pieces=pieces))

    assert sorted(index for batch in batches for index in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[index] for index in batch)
        assert len(batch) == 1 or len(batch) * longest <= pieces
        assert longest <= MAX_PADDING * min(lengths[index] for index in batch)


def test_texts_of_one_length_share_batches_as_far_as_they_fit() -> None:
    assert [len(batch) for batch in length_sorted_batches([10] * 7, max_pieces=30)] == [3, 3, 1]
