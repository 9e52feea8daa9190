"""The pictures show the tables' numbers, with names and units."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure

from evals.cache import plots as cache_plots
from evals.cache.policies import BANDED, policy_bands
from evals.cache.staleness import staleness_sweep
from evals.cost import plots as cost_plots
from evals.cost.break_even import break_even, cache_levels
from evals.cost.model import REFERENCE, tornado
from evals.simulation.agreement import closed_form_agreement
from evals.simulation.prices import ComputePrices
from evals.simulation.simulator import Policy, Setting, sweep
from evals.simulation.timeline import prepare
from evals.simulation.traffic import DAY_S, Assumptions, generate

TTLS_S = [3_600.0, DAY_S, 7 * DAY_S]
SWEEP = sweep(
    generate(Assumptions(users=5, notes_per_user=20)),
    {"policy": list(Policy), "answer_soft_ttl_s": TTLS_S},
)

BANDS = policy_bands(
    [prepare(generate(Assumptions(users=5, edits_per_user_day=edits))) for edits in (0.1, 5)],
    TTLS_S,
    Setting(),
)
STALENESS = staleness_sweep(
    prepare(generate(Assumptions(users=5, requests_per_user_day=500, edits_per_user_day=50))),
    Setting(),
    max_staleness_s=[0.0, 10.0, 3_600.0],
    workers=[1, 4],
)


def test_a_line_per_number_of_processes_and_the_deployed_staleness_marked() -> None:
    saved, late = cache_plots.reads_saved_against_late(STALENESS, 10.0).axes
    drawn = {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in saved.lines}
    four = STALENESS[STALENESS["workers"] == 4]
    assert drawn["4 processes"] == pytest.approx((100 - 100 * four["reads_per_request"]).tolist())
    assert {"1 process", "4 processes"} < set(drawn)
    for axes in (saved, late):
        assert [text.get_text() for text in axes.texts] == ["deployed: 10 s"]
        assert "Simulated" in axes.get_title(loc="left")
        assert axes.lines[-1].get_xdata() == [1, 1]


def test_each_policy_is_a_line_through_its_rows() -> None:
    picture = cache_plots.hit_rates_against_ttl(SWEEP)
    valid = picture.axes[1]
    drawn = {line.get_label(): np.asarray(line.get_ydata()).tolist() for line in valid.lines}
    rows = SWEEP[SWEEP["policy"] == Policy.FLUSH_ON_CHANGE]
    assert drawn["flush on change"] == rows["valid_hit_rate"].tolist()
    assert len(drawn) == 3


def test_a_band_runs_from_the_lowest_to_the_highest_of_the_traffics() -> None:
    for name in BANDED:
        assert (BANDS[f"{name}_low"] <= BANDS[name]).all()
        assert (BANDS[name] <= BANDS[f"{name}_high"]).all()
    assert (BANDS["hit_rate_low"] < BANDS["hit_rate_high"]).any()
    for axes in cache_plots.hit_rates_against_ttl(BANDS).axes:
        assert len(axes.collections) == 1
    assert not cache_plots.hit_rates_against_ttl(SWEEP).axes[0].collections


@pytest.mark.parametrize(
    "picture",
    [
        cache_plots.hit_rates_against_ttl(SWEEP),
        cache_plots.load_against_ttl(BANDS),
        cache_plots.hit_rates_against_ttl(BANDS),
        cache_plots.closed_form_agreement(
            closed_form_agreement([DAY_S], assumptions=Assumptions(users=2))
        ),
        cache_plots.reads_saved_against_late(STALENESS, 0.0),
        cost_plots.cost_against_users({"reference": REFERENCE}),
        cost_plots.tornado_bars(tornado(REFERENCE)),
        cost_plots.break_even_marks(
            break_even(
                cache_levels(REFERENCE, Setting(), ComputePrices()),
                ComputePrices(),
                {"answer": 0.5, "embedding": 0.3, "context": 0.0},
            )
        ),
    ],
    ids=["hits", "load", "bands", "agreement", "staleness", "cost", "tornado", "break-even"],
)
def test_every_panel_is_titled_and_labelled_and_draws(picture: Figure) -> None:
    for axes in picture.axes:
        assert axes.get_title(loc="left")
        assert axes.get_xlabel()
    image = BytesIO()
    picture.savefig(image, format="png")
    assert image.getvalue().startswith(b"\x89PNG")


def test_measured_caches_join_the_agreement_where_given() -> None:
    table = closed_form_agreement([DAY_S], assumptions=Assumptions(users=2))
    names = [
        [line.get_label() for line in cache_plots.closed_form_agreement(rows).axes[0].lines]
        for rows in (table, table.assign(replayed=table["simulated"]))
    ]
    assert names == [
        ["closed form", "simulator"],
        ["closed form", "simulator", "real caches"],
    ]
