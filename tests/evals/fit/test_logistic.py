from __future__ import annotations

import numpy as np
import pytest

from evals.fit.logistic import area_under_curve, fit_logistic, folds_by_group, out_of_fold

RNG = np.random.default_rng(3)
ROWS = RNG.normal(size=(400, 2))
RIGHT = RNG.random(400) < 1 / (1 + np.exp(-(2 * ROWS[:, 0] - ROWS[:, 1] + 0.5)))


def test_a_fit_finds_the_weights_that_made_the_data() -> None:
    model = fit_logistic(ROWS, RIGHT, [1, -1], l2=0.01)
    assert [*model.weights, model.intercept] == pytest.approx([2, -1, 0.5], abs=0.4)


def test_a_weight_never_has_the_other_sign() -> None:
    assert fit_logistic(ROWS, RIGHT, [-1, -1], l2=0.01).weights[0] == 0


def test_a_larger_penalty_makes_smaller_weights() -> None:
    loose, tight = (fit_logistic(ROWS, RIGHT, [1, -1], l2=l2).weights for l2 in (0.01, 100))
    assert (np.abs(tight) < np.abs(loose)).all()


def test_a_row_that_counts_twice_is_as_good_as_two() -> None:
    counts = np.where(np.arange(400) < 50, 2.0, 1.0)
    twice = fit_logistic(ROWS, RIGHT, [1, -1], l2=1.0, counts=counts)
    rows, right = np.vstack([ROWS, ROWS[:50]]), np.concatenate([RIGHT, RIGHT[:50]])
    same = fit_logistic(rows, right, [1, -1], l2=1.0)
    assert [*twice.weights, twice.intercept] == pytest.approx(
        [*same.weights, same.intercept], abs=0.01
    )


def test_a_feature_that_never_varies_does_no_harm() -> None:
    rows = np.column_stack([ROWS, np.zeros(400)])
    assert np.isfinite(fit_logistic(rows, RIGHT, [1, -1, 1], l2=1.0).weights).all()


def test_groups_stay_in_one_fold_and_all_folds_are_used() -> None:
    groups = [f"g{row % 20}" for row in range(100)]
    folds = folds_by_group(groups, 5)
    assert set(folds) == set(range(5))
    assert all(len({f for f, g in zip(folds, groups, strict=True) if g == name}) == 1
               for name in groups)  # fmt: skip


def test_a_row_is_scored_by_a_model_that_has_not_seen_its_label() -> None:
    folds = folds_by_group([str(row) for row in range(400)], 10)
    scores = out_of_fold(ROWS, RIGHT, [1, -1], folds, l2=1.0)
    fold = folds == folds[0]
    flipped = np.where(fold, ~RIGHT, RIGHT)
    assert (out_of_fold(ROWS, flipped, [1, -1], folds, l2=1.0)[fold] == scores[fold]).all()


def test_the_area_counts_pairs_in_order_and_ties_half() -> None:
    right = np.array([True, True, False, False])
    assert area_under_curve(np.array([0.9, 0.4, 0.4, 0.1]), right) == 3.5 / 4
