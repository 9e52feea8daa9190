"""Headlines of the split that is reported, with dev's value and the gap beside them."""

from __future__ import annotations

from functools import partial

from evals.datasets.golden import Split
from evals.measures.scores import Aggregate
from evals.results import numbers
from evals.results.result import Headline, headline
from evals.results.splits import split_headline

MAKE = partial(headline, name="Recall", meaning="What is found.")


def whole(value: float | None, n: int) -> Aggregate:
    return Aggregate("R@5", value, None, None, n, 0)


def made(**splits: Aggregate) -> Headline | None:
    by_split: dict[Split, Aggregate] = {"test": splits["test"]} if "test" in splits else {}
    return split_headline(MAKE, by_split | ({"dev": splits["dev"]} if "dev" in splits else {}))


def test_test_is_reported_with_dev_and_the_gap_beside_it() -> None:
    shown = made(test=whole(0.5, 10), dev=whole(0.75, 20))
    assert shown is not None
    assert (shown.value, shown.n, shown.dev) == (0.5, 10, 0.75)
    assert numbers.split(shown) == "test; dev 75 %, gap -25 %"


def test_where_test_was_not_asked_dev_stands_alone_and_says_so() -> None:
    for shown in (made(dev=whole(0.75, 20)), made(test=whole(None, 0), dev=whole(0.75, 20))):
        assert shown is not None
        assert (shown.value, shown.dev) == (0.75, None)
        assert numbers.split(shown) == "dev"


def test_what_nobody_was_asked_has_no_headline() -> None:
    assert made(test=whole(None, 0), dev=whole(None, 0)) is None
    assert made() is None


def test_a_headline_of_no_split_says_nothing_of_splits() -> None:
    assert numbers.split(MAKE(whole(0.5, 10))) == ""
