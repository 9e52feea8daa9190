"""The ages of served answers are those of one request after another."""

from __future__ import annotations

import numpy as np
import pytest

from evals.simulation.answer_ages import answer_ages
from evals.simulation.simulator import Setting
from evals.simulation.timeline import EvidenceModel, prepare
from evals.simulation.traffic import Traffic

SETTING = Setting(answer_soft_ttl_s=100, answer_hard_ttl_s=300)


def trace(*times_s: float, edit_s: float | None = None) -> Traffic:
    n, edits = len(times_s), [] if edit_s is None else [edit_s]
    zeros = np.zeros(n, dtype=np.int64)
    none = np.zeros(len(edits), dtype=np.int64)
    return Traffic(np.array(times_s), zeros, zeros, np.array(edits), none, none)


MODEL = EvidenceModel(notes_per_user=1, evidence_notes=1, enter_probability=0.0)


def test_old_is_what_was_served_at_that_age_or_more() -> None:
    ages = answer_ages(prepare(trace(0, 50, 90, 120), MODEL), SETTING, old_after_s=60)
    assert ages.old_share == pytest.approx(1 / 4)  # at 90; 50 is young, 0 and 120 generate


def test_an_outage_serves_what_lies_between_the_two_ttls_while_the_evidence_stands() -> None:
    """At 150 an answer of 0 is past its soft TTL; at 600 the answer of 150 is gone."""
    ages = answer_ages(prepare(trace(0, 150, 600), MODEL), SETTING, old_after_s=120)
    assert ages.outage_share == ages.outage_old_share == pytest.approx(1 / 3)
    young = answer_ages(prepare(trace(0, 150, 600), MODEL), SETTING, old_after_s=200)
    assert young.outage_share == pytest.approx(1 / 3)
    assert young.outage_old_share == 0
    edited = answer_ages(prepare(trace(0, 150, 600, edit_s=140), MODEL), SETTING, old_after_s=120)
    assert edited.outage_share == 0
