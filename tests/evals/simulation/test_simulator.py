"""The vectorised simulator agrees with a plain one, with closed forms and with its references."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from evals.simulation import closed_forms as theory
from evals.simulation.agreement import (
    closed_form_agreement,
    reference_hit_rates,
)
from evals.simulation.simulator import (
    CacheOutcome,
    Policy,
    Setting,
    outcomes,
    simulate,
    sweep,
)
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.traffic import DAY_S, Assumptions, Traffic, generate
from rag_core.errors import InvalidInput

MIXED = Assumptions(
    users=5,
    days=6,
    requests_per_user_day=80,
    questions_per_user=15,
    notes_per_user=12,
    edits_per_user_day=4,
    seed=3,
)
EVIDENCE = EvidenceModel(notes_per_user=12, evidence_notes=3, enter_probability=0.1)


@dataclass
class PlainCaches:
    """The three caches, one request after another, as the pipeline's rules say them."""

    setting: Setting
    answers: dict[int, tuple[float, int, int]] = field(default_factory=dict)
    embeddings: dict[int, float] = field(default_factory=dict)
    contexts: OrderedDict[tuple[int, int], float] = field(default_factory=OrderedDict)
    embedding_calls: int = 0
    retrievals: int = 0

    def ask(self, now: float, key: int, epoch: int, version: int) -> CacheOutcome:
        outcome = self._answer(now, key, epoch, version)
        if outcome in (CacheOutcome.MISS, CacheOutcome.REVALIDATED):
            self._retrieve(now, key, epoch)
        return outcome

    def _answer(self, now: float, key: int, epoch: int, version: int) -> CacheOutcome:
        if key in self.answers:
            made, seen_epoch, seen_version = self.answers[key]
            if now - made < self.setting.answer_soft_ttl_s:
                verdict = self._verdict(seen_epoch == epoch, seen_version == version)
                if verdict is not CacheOutcome.MISS:
                    self.answers[key] = (made, epoch, seen_version)
                    return verdict
        self.answers[key] = (now, epoch, version)
        return CacheOutcome.MISS

    def _verdict(self, same_epoch: bool, same_evidence: bool) -> CacheOutcome:
        match self.setting.policy:
            case Policy.TTL_ONLY:
                return CacheOutcome.HIT if same_evidence else CacheOutcome.STALE
            case Policy.FLUSH_ON_CHANGE:
                return CacheOutcome.HIT if same_epoch else CacheOutcome.MISS
            case Policy.EVIDENCE_REVALIDATION if same_epoch:
                return CacheOutcome.HIT
        return CacheOutcome.REVALIDATED if same_evidence else CacheOutcome.MISS

    def _embed(self, now: float, key: int) -> None:
        if now - self.embeddings.get(key, -np.inf) >= self.setting.embedding_ttl_s:
            self.embeddings[key] = now
            self.embedding_calls += 1

    def _retrieve(self, now: float, key: int, epoch: int) -> None:
        ttl_s = self.setting.context_ttl_s
        for old in [k for k, stored in self.contexts.items() if now - stored >= ttl_s]:
            del self.contexts[old]
        if (key, epoch) in self.contexts:
            self.contexts.move_to_end((key, epoch))
            return
        self._embed(now, key)
        self.retrievals += 1
        self.contexts[key, epoch] = now
        if len(self.contexts) > self.setting.context_capacity_bytes // self.setting.context_bytes:
            self.contexts.popitem(last=False)


def play(timeline: Timeline, setting: Setting) -> tuple[list[int], PlainCaches]:
    """Outcomes in the order of the trace, and the caches after them."""
    caches = PlainCaches(setting)
    rows = np.argsort(timeline.order)
    states = zip(
        timeline.time_s[rows], timeline.key[rows], timeline.epoch[rows], timeline.version[rows],
        strict=True,
    )  # fmt: skip
    return [caches.ask(float(t), int(k), int(e), int(v)) for t, k, e, v in states], caches


def test_every_outcome_equals_that_of_a_plain_simulation(subtests: pytest.Subtests) -> None:
    """The larger context size leaves room for two entries, so that LRU eviction decides."""
    for context_bytes in [6_000, 40_000_000]:
        for ttl_s in [60.0, 3_600.0, 30_000.0, 1e9]:
            for policy in Policy:
                with subtests.test(policy=policy, ttl_s=ttl_s, context_bytes=context_bytes):
                    timeline = prepare(generate(MIXED), EVIDENCE)
                    setting = Setting(
                        policy=policy,
                        answer_soft_ttl_s=ttl_s,
                        answer_hard_ttl_s=2e9,
                        embedding_ttl_s=20_000,
                        context_ttl_s=9_000,
                        context_bytes=context_bytes,
                    )
                    expected, caches = play(timeline, setting)
                    assert outcomes(timeline, setting).tolist() == expected
                    report = simulate(timeline, setting)
                    assert report.embedding_calls == caches.embedding_calls
                    assert report.retrievals == caches.retrievals
                    assert report.llm_calls == expected.count(CacheOutcome.MISS)
                    assert report.revalidated_rate == expected.count(
                        CacheOutcome.REVALIDATED
                    ) / len(expected)


def test_only_ttl_only_serves_changed_evidence() -> None:
    timeline = prepare(generate(MIXED), EVIDENCE)
    stale = {
        policy: simulate(timeline, Setting(policy=policy)).stale_share_of_hits for policy in Policy
    }
    assert stale[Policy.TTL_ONLY] > 0.1
    assert stale[Policy.FLUSH_ON_CHANGE] == stale[Policy.EVIDENCE_REVALIDATION] == 0


def _traffic(times: list[float], edits: list[float], note: int = 0) -> Traffic:
    """One user who asks one question at the given times; all edits touch one note."""
    zeros = np.zeros(len(times), dtype=np.int64)
    edited = np.zeros(len(edits), dtype=np.int64)
    return Traffic(np.array(times), zeros, zeros, np.array(edits), edited, edited + note)


ONE_NOTE = EvidenceModel(notes_per_user=1, evidence_notes=1, enter_probability=0.0)


def test_a_ttl_runs_from_generation_and_is_over_at_its_end() -> None:
    timeline = prepare(_traffic([0, 60, 99, 100, 150, 200], []))
    served = outcomes(timeline, Setting(answer_soft_ttl_s=100))
    assert [CacheOutcome(code).name for code in served] == [
        "MISS",
        "HIT",
        "HIT",
        "MISS",
        "HIT",
        "MISS",
    ]


def test_an_edit_of_the_evidence_at_the_time_of_a_request_comes_first() -> None:
    timeline = prepare(_traffic([0, 10, 20], [10]), ONE_NOTE)
    assert outcomes(timeline, Setting()).tolist() == [
        CacheOutcome.MISS,
        CacheOutcome.MISS,
        CacheOutcome.HIT,
    ]


def test_an_edit_elsewhere_is_revalidated_once() -> None:
    untouched = EvidenceModel(notes_per_user=1_000, evidence_notes=1, enter_probability=0.0)
    timeline = prepare(_traffic([0, 20, 30], [10, 15], note=999), untouched)
    served = outcomes(timeline, Setting()).tolist()
    assert served == [CacheOutcome.MISS, CacheOutcome.REVALIDATED, CacheOutcome.HIT]


def test_an_edit_changes_evidence_as_often_as_the_model_says() -> None:
    model = EvidenceModel(notes_per_user=20, evidence_notes=2, enter_probability=0.05)
    asked = np.repeat(np.arange(2_000), 2)
    count = len(asked)
    traffic = Traffic(
        time_s=np.tile([0.0, 2.0], 2_000)[np.argsort(np.tile([0, 1], 2_000), kind="stable")],
        user=asked[np.argsort(np.tile([0, 1], 2_000), kind="stable")],
        question=np.zeros(count, dtype=np.int64),
        edit_time_s=np.ones(2_000),
        edit_user=np.arange(2_000),
        edit_note=np.full(2_000, -1),
    )
    misses = simulate(prepare(traffic, model), Setting()).llm_calls - 2_000
    assert misses / 2_000 == pytest.approx(model.change_probability, abs=0.02)
    assert model.change_probability == pytest.approx(1 - 0.9 * 0.95)


def test_a_user_simulated_alone_gets_the_outcomes_it_had_among_others() -> None:
    traffic = generate(MIXED)
    together = outcomes(prepare(traffic, EVIDENCE), Setting())[traffic.user == 2]
    alone = outcomes(prepare(traffic.of_users([2]), EVIDENCE), Setting())
    assert np.array_equal(together, alone)


def test_jitter_moves_expiries_but_hardly_the_hit_rate() -> None:
    timeline = prepare(generate(replace(MIXED, users=50)), EVIDENCE)
    sharp, soft = Setting(answer_soft_ttl_s=20_000), Setting(answer_soft_ttl_s=20_000, jitter=0.1)
    assert (outcomes(timeline, sharp) != outcomes(timeline, soft)).any()
    difference = simulate(timeline, sharp).hit_rate - simulate(timeline, soft).hit_rate
    assert abs(difference) < 0.01


def test_memory_counts_the_entries_that_are_alive_together() -> None:
    timeline = prepare(_traffic([0, 10, 20, 30, 40], []))
    setting = Setting(answer_soft_ttl_s=5, answer_hard_ttl_s=20, answer_bytes=100)
    report = simulate(timeline, setting)
    assert report.answer_bytes_peak == 100  # each answer replaces the one before it
    assert report.answer_bytes_mean == 100
    half = simulate(prepare(_traffic([0, 40], [])), setting)
    assert half.answer_bytes_mean == 50  # gone at its hard TTL, half way


def test_a_flush_frees_the_memory_of_a_users_answers() -> None:
    timeline = prepare(_traffic([0, 40], [10]))
    setting = Setting(policy=Policy.FLUSH_ON_CHANGE, answer_bytes=100)
    assert simulate(timeline, setting).answer_bytes_mean == 25


def test_closed_forms_are_matched_within_one_point() -> None:
    table = closed_form_agreement([3_600.0, DAY_S, 7 * DAY_S])
    assert len(table) == 12
    assert table["gap"].abs().max() < 0.01


def test_closed_forms_have_the_stated_limits() -> None:
    assert theory.hit_rate(0.5, 6.0) == pytest.approx(3 / 4)
    assert theory.stale_share_of_hits(0.0, 10.0) == 0.0
    assert theory.stale_share_of_hits(2.0, 3.0) == pytest.approx(1 - (1 - np.exp(-6)) / 6)
    assert theory.hit_rate_until_change(0.5, 6.0, 0.0) == theory.hit_rate(0.5, 6.0)
    assert theory.hit_rate_until_change(1.0, 1e9, 1.0) == pytest.approx(0.5)


def test_revalidation_reaches_the_reference_where_flushing_gets_half() -> None:
    rates = reference_hit_rates(seeds=30)["mean"]
    assert rates["evidence_revalidation"] >= 0.75
    assert rates["flush_on_change"] == pytest.approx(0.5, abs=0.05)


def test_a_sweep_has_a_row_per_combination_and_raises_the_hard_ttl() -> None:
    grid: dict[str, list[object]] = {
        "policy": list(Policy),
        "answer_soft_ttl_s": [DAY_S, 30 * DAY_S],
    }
    table = sweep(generate(MIXED), grid, model=EVIDENCE)
    assert len(table) == 6
    window_s = table["answer_hard_ttl_s"] - table["answer_soft_ttl_s"]
    assert (window_s == 6 * DAY_S).all()
    assert set(table["policy"]) == set(Policy)


def test_an_impossible_setting_is_refused_by_name(subtests: pytest.Subtests) -> None:
    for name, value in [
        ("answer_soft_ttl_s", 0),
        ("jitter", 1.0),
        ("policy", "never"),
        ("context_bytes", -1),
        ("ttl", 5),
    ]:
        with subtests.test(name=name, value=value):
            with pytest.raises(InvalidInput) as refused:
                sweep(generate(MIXED), {name: [value]})
            assert refused.value.field == name


def test_a_hard_ttl_below_the_soft_one_and_impossible_evidence_are_refused() -> None:
    with pytest.raises(InvalidInput, match="answer_hard_ttl_s"):
        Setting(answer_soft_ttl_s=10, answer_hard_ttl_s=10)
    with pytest.raises(InvalidInput, match="evidence_notes"):
        EvidenceModel(notes_per_user=3, evidence_notes=4)
    for name in ("enter_probability", "touch_probability"):
        with pytest.raises(InvalidInput, match=name):
            EvidenceModel(**{name: 1.5})
    with pytest.raises(InvalidInput, match="no requests"):
        prepare(generate(replace(MIXED, requests_per_user_day=0)))


def test_only_so_many_edits_of_an_answers_notes_change_it_as_the_model_says() -> None:
    """Each edit of the one note there is counts; half of them change the evidence."""
    model = replace(ONE_NOTE, touch_probability=0.5)
    traffic = generate(replace(MIXED, users=40, days=20, edits_per_user_day=1, notes_per_user=1))
    found = prepare(traffic, model)
    asked_again = np.diff(found.key, prepend=-1) == 0
    edits = np.diff(found.epoch, prepend=0)
    once = asked_again & (edits == 1)
    changed = np.diff(found.version, prepend=0)[once]
    assert once.sum() > 2_000
    assert changed.mean() == pytest.approx(0.5, abs=0.04)
    assert model.change_probability == 0.5
