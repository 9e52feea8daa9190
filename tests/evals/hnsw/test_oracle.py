"""What is right is what exact search finds, and another tenant's row never is."""

from __future__ import annotations

import numpy as np

from evals.hnsw.oracle import K, Oracle, oracles
from tests.evals.hnsw.unit_vectors import unit_vectors


def test_the_nearest_are_all_right_and_others_are_not() -> None:
    vectors, questions = unit_vectors(100), unit_vectors(3, seed=1)
    oracle = Oracle.of(vectors, questions, first=40)
    order = np.argsort(-(questions[1] @ vectors.T)) + 40
    assert oracle.recall(1, order[:K].tolist()) == 1.0
    assert oracle.recall(1, [*order[: K - 1].tolist(), int(order[50])]) == (K - 1) / K
    assert oracle.recall(1, order[K : 2 * K].tolist()) == 0.0


def test_a_row_found_twice_counts_once() -> None:
    vectors, questions = unit_vectors(100), unit_vectors(1, seed=1)
    best = int(np.argmax(questions[0] @ vectors.T))
    assert Oracle.of(vectors, questions).recall(0, [best] * K) == 1 / K


def test_another_tenants_row_is_never_right() -> None:
    vectors, questions = unit_vectors(60), unit_vectors(1, seed=1)
    of = oracles(vectors, questions, {"small": slice(0, 20), "large": slice(20, 60)})
    inside = np.argsort(-(questions[0] @ vectors[:20].T))[:K]
    assert of["small"].recall(0, inside.tolist()) == 1.0
    assert of["large"].recall(0, inside.tolist()) == 0.0


def test_rows_as_near_as_the_last_right_one_are_right_too() -> None:
    """Copies of one sentence: whichever of them is found, nothing is missed."""
    vectors = np.repeat(unit_vectors(1), 8, axis=0)
    assert Oracle.of(vectors, unit_vectors(1, seed=1)).recall(0, [3, 4, 5, 6, 7]) == 1.0


def test_a_tenant_of_two_rows_has_two_to_find() -> None:
    oracle = Oracle.of(unit_vectors(2), unit_vectors(1, seed=1))
    assert oracle.wanted == 2
    assert oracle.recall(0, [0, 1]) == 1.0
