"""A grid has every combination of what is tried and what is deployed, all of it valid."""

from __future__ import annotations

import pytest

from evals.budgets.grid import PROFILES, BudgetSetting, Chunking, axes, grid
from rag_core.domain import SearchMethod
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

CURRENT = BudgetSetting.of(Settings())


def test_a_grid_combines_what_is_given_with_what_is_deployed_and_begins_with_that() -> None:
    swept = grid({"context_tokens": (300,), "top_k": (3, 8)}, CURRENT, Settings())
    assert swept[0] == CURRENT
    assert len(swept) == len(set(swept)) == 2 * 3
    assert {each.chunking for each in swept} == {CURRENT.chunking}


def test_values_given_as_text_replace_the_profiles() -> None:
    tried = axes("smoke", {"context_tokens": "300, 450", "chunking": "100/10, worse", "top_k": ""})
    assert tried["context_tokens"] == (300, 450)
    assert tried["chunking"] == (Chunking(100, 10), Chunking(32, 0))
    assert tried["top_k"] == PROFILES["smoke"]["top_k"]


def test_smoke_cuts_nothing_anew() -> None:
    assert "chunking" not in PROFILES["smoke"]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"context_tokens": "three"}, "context_tokens: 'three'"),
        ({"context_tokens": "12"}, "context_tokens: 12"),
        ({"top_k": "0"}, "top_k: 0"),
        ({"top_k": "3;5"}, "top_k"),
        ({"min_score": "2"}, "min_score: 2"),
        ({"chunking": "100/100"}, "CHUNK_OVERLAP"),
        ({"chunking": "100/x"}, "chunking"),
        ({"chunking": "100/10,50/5,32/0"}, "more than 3"),
        ({"search_method": "nearby"}, "search_method"),
        ({"search_method": "hnsw"}, "only exact"),
    ],
)
def test_a_bad_value_is_named(given: dict[str, str], named: str) -> None:
    with pytest.raises(InvalidInput, match=named):
        grid(axes("smoke", given), CURRENT, Settings())


def test_an_unknown_profile_is_named() -> None:
    with pytest.raises(InvalidInput, match="'fast'"):
        axes("fast", {})


def test_a_setting_says_what_it_has_instead() -> None:
    other = CURRENT.with_value("context_tokens", 600).with_value("chunking", Chunking(32, 0))
    assert other.instead_of(CURRENT) == (
        "600 context tokens instead of 1,200, chunks of 32/0 tokens instead of 200/40"
    )
    assert CURRENT.search_method is SearchMethod.EXACT
