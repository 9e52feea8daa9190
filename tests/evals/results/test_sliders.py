"""Sliders work without a front end, redraw when moved, and leave executed notebooks alone."""

from __future__ import annotations

import numpy as np
import pytest

from evals.cache.sliders import cache_sliders
from evals.cost.golden_tokens import TokenSample
from evals.cost.model import MeasuredTokens
from evals.cost.sliders import cost_sliders
from evals.cost.study import HitRates, cost_study
from evals.results.sliders import HINT, Live
from evals.simulation.choice import choose
from evals.simulation.plausible import MeasuredEvidence
from evals.simulation.prices import ComputePrices
from evals.simulation.simulator import Setting
from evals.simulation.timeline import prepare
from evals.simulation.traffic import Assumptions, generate
from evals.stats.intervals import Estimate

EVIDENCE = MeasuredEvidence(touch=Estimate.exact(0.5), enter=Estimate.exact(0.01), notes=3)


def cache() -> Live:
    return cache_sliders(Assumptions(users=5, days=3), Setting(), EVIDENCE)


def cost() -> Live:
    choice = choose([prepare(generate(Assumptions(users=5, days=3)))], Setting())
    study = cost_study(
        TokenSample(
            tokens=MeasuredTokens.of(np.array([1_400.0]), np.array([100.0])),
            asked=1,
            generator="extractive",
            source="a test",
        ),
        HitRates(deployed=choice, recommended=choice, source="a test"),
        users=(100,),
        requests_per_user_day=10,
        requests_spread=0.0,
        compute=ComputePrices(),
    )
    return cost_sliders(study)


@pytest.mark.parametrize(
    ("live", "moved"),
    [(cache(), {"answer_ttl_s": 3_600.0, "edits": 5.0}), (cost(), {"tokens_in": 700.0})],
    ids=["cache", "cost"],
)
def test_moving_a_slider_draws_another_picture(live: Live, moved: dict[str, float]) -> None:
    live.redraw()
    pictures = {bytes(live.image.value)}
    for name, value in moved.items():
        live.controls[name].value = value
        pictures.add(bytes(live.image.value))
    assert len(pictures) == 1 + len(moved)
    assert all(picture.startswith(b"\x89PNG") for picture in pictures)


def test_a_kernel_that_no_page_started_shows_a_hint_and_draws_nothing() -> None:
    live = cache()
    assert live._repr_mimebundle_() == {"text/markdown": HINT, "text/plain": HINT}
    assert vars(live).keys().isdisjoint({"controls", "image"})


def test_a_kernel_of_a_page_shows_the_controls_and_the_picture(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JPY_SESSION_NAME", "notebooks/03_cache.ipynb")
    live = cache()
    shown = live._repr_mimebundle_()
    assert isinstance(shown, dict)
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert live.image.value
