"""What a study of budgets says, in sentences that an engineer can repeat."""

from __future__ import annotations

from evals.budgets.choice import GUARDED
from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import FACTS_IN_CONTEXT, RIGHT, Difference, Outcomes
from evals.budgets.study import BudgetStudy
from evals.results.numbers import share


def points(difference: Difference) -> str:
    """`-0.4 points [-1.9, +0.9]`, or that nothing changed and how sure that makes us."""
    if not difference.changed:
        bound = share(difference.may_change)
        return f"{bare_points(difference)} (at 95 %, fewer than {bound} would change)"
    low, high = (_signed(100 * each) for each in (difference.low, difference.high))
    return f"{bare_points(difference)} [{low}, {high}]"


def bare_points(difference: Difference) -> str:
    """`-0.4 points`, or that nothing changed: of too few questions to say how sure that is."""
    if not difference.changed:
        return f"the same for all {difference.n}"
    return f"{_signed(100 * difference.value)} points"


def verdict(study: BudgetStudy) -> str:
    """The choice, what test says of it, and what a single budget does at its worst."""
    return " ".join(filter(None, (choice_sentence(study), worst_sentence(study.dev), _how(study))))


def choice_sentence(study: BudgetStudy) -> str:
    """What may be said of the chosen setting, by what test confirms."""
    choice = study.choice
    if not choice.changes:
        return _stays(study)
    change = choice.setting.instead_of(choice.current)
    if study.test is None:
        return (
            f"On dev, {change}, cost {cost_change(study.dev, choice.setting)}: "
            f"{_lost(study.dev, choice.setting)}. There are no questions of split test, so "
            "nothing confirms it and the current budgets stay."
        )
    lost = _lost(study.test, choice.setting)
    asked = f"on {_asked(study.test)} test questions with facts"
    if study.recommended == choice.setting:
        cost = cost_change(study.test, choice.setting)
        said = "lost nothing measurable" if choice.objective.kind == "cheapest" else "changed this"
        return (
            f"{change[0].upper()}{change[1:]}, cost {cost} and {said}: {lost}, {asked}. Chosen on "
            f"dev among {choice.candidates} settings, confirmed on test."
        )
    return _unconfirmed(study, change, f"{lost}, {asked}")


def _unconfirmed(study: BudgetStudy, change: str, found: str) -> str:
    why = "shows a loss" if _seen(study) else f"does not rule out a loss of {_tolerance(study)}"
    return (
        f"On dev, {change}, looked best among {study.choice.candidates} settings, but test does "
        f"not confirm it: {found}, which {why}. The current budgets stay."
    )


def _seen(study: BudgetStudy) -> bool:
    """Whether test shows that the choice loses something."""
    outcomes, chosen = study.test or study.dev, study.choice.setting
    return any(outcomes.difference(measure, chosen).high < 0 for measure in GUARDED)


def worst_sentence(outcomes: Outcomes) -> str:
    """The single change that loses most facts in context, if one is seen to lose any."""
    single = [s for s in outcomes.settings if len(s.differs_in(outcomes.current)) == 1]
    if not single:
        return ""
    worst = min(single, key=lambda s: outcomes.difference(FACTS_IN_CONTEXT, s).value)
    lost = outcomes.difference(FACTS_IN_CONTEXT, worst)
    if lost.high >= 0:
        return "No single change is seen to lose facts in context."
    return (
        f"The worst single change is {worst.instead_of(outcomes.current)}: facts in context "
        f"{points(lost)} on dev."
    )


def cost_change(outcomes: Outcomes, setting: BudgetSetting) -> str:
    """`29 % less [28 %, 31 %]`, or more."""
    ratio = outcomes.cost_ratio(setting)
    ends = (1 - ratio.high, 1 - ratio.low) if ratio.value <= 1 else (ratio.low - 1, ratio.high - 1)
    low, high = (f"{100 * end:.0f} %" for end in ends)
    return f"{bare_cost_change(outcomes, setting)} [{low}, {high}]"


def bare_cost_change(outcomes: Outcomes, setting: BudgetSetting) -> str:
    """`29 % less`, or more: of too few questions for an interval."""
    ratio = outcomes.cost_ratio(setting).value
    return f"{100 * abs(1 - ratio):.0f} % {'less' if ratio <= 1 else 'more'}"


def _stays(study: BudgetStudy) -> str:
    choice = study.choice
    if choice.objective.kind == "best-under":
        return (
            f"The current budgets already state most facts among {choice.candidates} settings "
            f"for at most ${choice.objective.max_usd_per_1000:g} per 1,000 questions."
        )
    return (
        f"The current budgets stay: {choice.candidates} settings were tried, and no cheaper one is "
        f"shown by {_asked(study.dev)} dev questions to lose less than {_tolerance(study)} of the "
        "facts."
    )


def _how(study: BudgetStudy) -> str:
    sure = "An interval holds what other questions of the same kind would give."
    return f"{sure} Answers are by {study.generator}."


def _lost(outcomes: Outcomes, setting: BudgetSetting) -> str:
    return ", ".join(
        f"{measure} {points(outcomes.difference(measure, setting))}"
        for measure in (*GUARDED, RIGHT)
    )


def _asked(outcomes: Outcomes) -> int:
    return int(outcomes.means(FACTS_IN_CONTEXT).n[0])


def _tolerance(study: BudgetStudy) -> str:
    return f"{100 * study.choice.objective.tolerance:g} points"


def _signed(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−") if round(value, 1) else "0.0"
