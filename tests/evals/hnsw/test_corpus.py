"""Rows: real sentences first, perturbed copies after them, and it is said how many."""

from __future__ import annotations

import numpy as np
import pytest

from evals.hnsw.corpus import Corpus, enlarged
from evals.hnsw.grid import GRIDS, Grid, Kind, tenant_rows
from rag_core.errors import InvalidInput
from tests.evals.hnsw.unit_vectors import unit_vectors


def test_copies_follow_the_real_rows_near_them_and_unlike_them() -> None:
    real = unit_vectors(50)
    rows = enlarged(real, 120, seed=3)
    assert rows.shape == (120, 384)
    assert rows.dtype == np.float32
    assert (rows[:50] == real).all()
    assert np.allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-5)
    cosines = (rows[50:100] * real).sum(axis=1)
    assert cosines.max() < 0.99
    assert cosines.min() > 0.8
    assert len(np.unique(rows, axis=0)) == 120


def test_the_same_seed_gives_the_same_rows() -> None:
    assert (enlarged(unit_vectors(5), 9, seed=1) == enlarged(unit_vectors(5), 9, seed=1)).all()


def test_it_is_said_how_many_rows_are_no_real_ones() -> None:
    rows = Corpus(enlarged(unit_vectors(5), 9), 5, {})
    assert rows.made_of(4) == "4 real sentences"
    assert rows.made_of(9) == "5 real sentences, 4 perturbed copies"


def test_a_tenant_has_its_share_of_the_largest() -> None:
    assert tenant_rows(10_000) == {"0.1 %": 10, "1 %": 100, "10 %": 1000, "100 %": 10_000}
    assert min(tenant_rows(100).values()) == 1


@pytest.mark.parametrize("profile", GRIDS)
def test_every_profile_tries_every_kind(profile: str) -> None:
    grid = GRIDS[profile]
    builds = list(grid.builds(min(grid.sizes)))
    assert {build.kind for build in builds} == set(Kind)
    assert all(grid.settings(build) for build in builds)


def test_an_empty_grid_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match=r"grid\.sizes"):
        Grid(
            sizes=(), graphs=((16, 64),), ef_search=(40,), rows_a_list=(100,), probed=(0.1,),
            passes=1, last_passes=1,
        )  # fmt: skip
