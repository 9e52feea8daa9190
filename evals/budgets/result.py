"""What a study of budgets comes to: headline numbers, tables, the sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from evals.budgets.env_file import recommendation
from evals.budgets.grid import AXES, BudgetSetting, shown
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    MEASURES,
    MS,
    QUALITY,
    RIGHT,
    TOKENS_IN,
    TOKENS_OUT,
    USD,
    Outcomes,
)
from evals.budgets.pareto import front
from evals.budgets.plots import along
from evals.budgets.study import BudgetStudy
from evals.budgets.wording import points, verdict
from evals.results.numbers import dollars, duration, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table, Unit

_COLUMNS = (
    "budgets", "facts in context", "facts stated", "right abstentions", "$ per 1,000", "tokens in",
    "tokens out", "ms",
)  # fmt: skip

_HEADLINES: Mapping[str, tuple[str, Unit, str]] = {
    FACTS_IN_CONTEXT: (
        "Facts in context", "share",
        "Share of the facts of a right answer whose words are in the context.",
    ),
    FACTS_STATED: (
        "Facts stated", "share", "Share of the facts of a right answer that the answer states.",
    ),
    RIGHT: (
        "Rightly answered or declined", "share",
        "Answerable questions that are answered, and others that are declined.",
    ),
    USD: (
        "Tokens of 1,000 questions", "usd",
        "At an LLM's prices, whoever wrote the answers; no cache.",
    ),
    MS: (
        "Milliseconds of what was measured", "ms",
        "Embedding the question, building the context and generating; no search, no cache.",
    ),
}  # fmt: skip


def budgets_result(study: BudgetStudy, pictures: Sequence[Picture]) -> NotebookResult:
    """All of it, for the report."""
    return NotebookResult(
        title="Budgets",
        verdict=verdict(study),
        n=len(study.dev.questions),
        headlines=headlines(study),
        pictures=tuple(pictures),
        tables=(
            front_table(study),
            single_table(study),
            *([confirmation_table(study)] if study.choice.changes else []),
        ),
        facts={
            "objective": str(study.choice.objective),
            "budgets": f"{len(study.dev.settings)} settings on {len(study.dev.questions)} dev "
            f"questions in {duration(study.seconds)}, {study.embedded:,} texts embedded",
            "generator of budgets": f"{study.generator}, priced at "
            f"{dollars(1e6 * study.prices.input_usd)} in, "
            f"{dollars(1e6 * study.prices.output_usd)} out, per million tokens",
        },
        data=as_json(study),
        recommendation=recommendation(study),
    )


def headlines(study: BudgetStudy) -> tuple[Headline, ...]:
    """The numbers of the recommended budgets, on test questions where there are any."""
    outcomes, setting = study.test or study.dev, study.recommended
    saved = outcomes.cost_ratio(setting)
    return (
        Headline(
            name="Saved by the recommended budgets", value=1 - saved.value, low=1 - saved.high,
            high=1 - saved.low, n=len(outcomes.questions), unit="share", key=True,
            meaning=f"Dollars, against the current ones. Recommended: {setting}.",
        ),
        *(_headline(outcomes, setting, measure, *said) for measure, said in _HEADLINES.items()),
    )  # fmt: skip


def front_table(study: BudgetStudy) -> Table:
    """The settings that none as cheap is better than, by facts stated, cheapest first."""
    shown_ = dict.fromkeys([*front(study.dev, FACTS_STATED), study.choice.current])
    shown_ |= dict.fromkeys([study.choice.setting])
    usd = study.dev.means(USD).value
    ordered = sorted(shown_, key=lambda setting: float(usd[study.dev.place(setting)]))
    return Table(
        "Budgets worth their dollars",
        (*_COLUMNS, "facts in context, change", "facts stated, change"),
        tuple(_row(study, setting) for setting in ordered),
        f"On dev; what is not said is as it is: {study.choice.current}. Changes are paired with "
        "that, in points, with 95 % intervals.",
    )


def single_table(study: BudgetStudy) -> Table:
    """One budget changed, the others as they are."""
    rows = [
        _single_row(study.dev, axis, place)
        for axis in AXES
        for place in along(study.dev, axis)
        if place
    ]
    return Table(
        "One budget changed",
        ("budget", "to", "from", *(f"{name}, change" for name in QUALITY), "dollars, times"),
        tuple(rows),
        "On dev, paired with the current setting, with 95 % intervals.",
    )


def _single_row(outcomes: Outcomes, axis: str, place: int) -> tuple[Cell, ...]:
    setting = outcomes.settings[place]
    values = (shown(getattr(each, axis)) for each in (setting, outcomes.current))
    changes = (_change(outcomes, measure, setting) for measure in QUALITY)
    return (axis.replace("_", " "), *values, *changes, _cost(outcomes, setting))


def confirmation_table(study: BudgetStudy) -> Table:
    """The chosen setting against the current one, on dev, which chose it, and on test."""
    return Table(
        "Does the choice hold on questions that did not choose it?",
        ("split", "questions", "measure", "change", "margin kept"),
        tuple(_confirmation_rows(study)),
        f"Chosen: {study.choice.setting}. The margin is "
        f"{share(study.choice.objective.tolerance)} of the facts.",
    )


def _confirmation_rows(study: BudgetStudy) -> Iterator[tuple[Cell, ...]]:
    both = [("dev", study.dev), *([("test", study.test)] if study.test else [])]
    for split, outcomes in both:
        for measure in QUALITY:
            said = study.verdicts.get(measure, "") if split == "test" else "chosen"
            change = _change(outcomes, measure, study.choice.setting)
            yield split, len(outcomes.questions), measure, change, said


def as_json(study: BudgetStudy) -> dict[str, Any]:
    """Plain JSON values: the choice, and every setting with its means and paired differences."""
    return {
        "objective": str(study.choice.objective),
        "current": asdict(study.choice.current),
        "chosen": asdict(study.choice.setting),
        "recommended": asdict(study.recommended),
        "verdicts": study.verdicts,
        "sentence": verdict(study),
        "settings": [_of_setting(study.dev, setting) for setting in study.dev.settings],
    }


def _of_setting(outcomes: Outcomes, setting: BudgetSetting) -> dict[str, Any]:
    place = outcomes.place(setting)
    means = {name: _triple(outcomes.means(name), place) for name in MEASURES}
    changes = {name: _triple(outcomes.differences(name), place) for name in QUALITY}
    return {**asdict(setting), "means": means, "changes": changes}


def _triple(means: Any, place: int) -> list[float | None]:
    """Value, low and high; None where nothing is known."""
    numbers = (means.value[place], means.low[place], means.high[place])
    return [float(each) if each == each else None for each in numbers]


def _row(study: BudgetStudy, setting: BudgetSetting) -> tuple[Cell, ...]:
    outcomes = study.dev
    roles = {"current": study.choice.current, "chosen": study.choice.setting}
    named = [role for role, each in roles.items() if each == setting]
    name = setting.beside(study.choice.current)
    name += f" ({', '.join(named)})" if named else ""
    place = outcomes.place(setting)
    times = {USD: 1000.0}
    cells = [
        float(times.get(measure, 1.0) * outcomes.means(measure).value[place])
        for measure in (*QUALITY, USD, TOKENS_IN, TOKENS_OUT, MS)
    ]
    changes = [_change(outcomes, m, setting) for m in (FACTS_IN_CONTEXT, FACTS_STATED)]
    return (name, *cells, *changes)


def _change(outcomes: Outcomes, measure: str, setting: BudgetSetting) -> str:
    if setting == outcomes.current:
        return ""
    difference = outcomes.difference(measure, setting)
    return points(difference) if difference.n else "not generated"


def _cost(outcomes: Outcomes, setting: BudgetSetting) -> Cell:
    return round(outcomes.cost_ratio(setting).value, 3)


def _headline(
    outcomes: Outcomes, setting: BudgetSetting, measure: str, name: str, unit: Unit, meaning: str
) -> Headline:
    means, place = outcomes.means(measure), outcomes.place(setting)
    times = 1000.0 if measure == USD else 1.0
    value, low, high = (None if e is None else times * e for e in _triple(means, place))
    n = int(means.n[place])
    return Headline(
        name=name, meaning=meaning, value=value, low=low, high=high, n=n,
        unscored=len(outcomes.questions) - n, unit=unit,
        better="higher" if measure in QUALITY else "lower",
    )  # fmt: skip
