"""Near-duplicates: runs of three words that were said already."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag_core.domain import NEAR_DUPLICATE, Said

TEXTS = st.lists(st.sampled_from(list("abcdefghij")), max_size=30)


def runs(words: list[str]) -> set[tuple[str, ...]]:
    return {tuple(words[i : i + 3]) for i in range(max(1, len(words) - 2))}


@given(earlier=st.lists(TEXTS, max_size=4), words=TEXTS)
def test_a_text_repeats_when_four_fifths_of_its_runs_were_said(
    earlier: list[list[str]], words: list[str]
) -> None:
    """The look at its words alone, which comes first, decides nothing otherwise."""
    said = Said()
    for each in earlier:
        said.add(each)
    seen = set[tuple[str, ...]]().union(*map(runs, earlier))
    share = len(runs(words) & seen) / len(runs(words))
    assert said.repeats(words) == (share >= NEAR_DUPLICATE)


def test_five_runs_of_which_four_were_said_repeat() -> None:
    said = Said()
    said.add(list("abcdef"))
    assert said.repeats(list("xabcdef"))
    assert not said.repeats(list("xyabcdef"))
