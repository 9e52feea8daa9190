"""What a study of validity comes to: headlines, tables, a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evals.measures.scores import Aggregate, Scored, aggregate
from evals.measures.validity.card import REJECTED, Card
from evals.measures.validity.validity import (
    SCOREBOARD,
    PlantedRun,
    Validity,
    averages,
    differences,
    differing,
    meets_targets,
)
from evals.results import numbers
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table, headline
from evals.stats.paired import PairedDifference
from evals.validity.card_tables import card_tables, fresh_table, interval
from evals.validity.pictures import words
from evals.validity.study import ValidityRun

if TYPE_CHECKING:
    import pandas as pd


def validity_result(run: ValidityRun, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, pictures and tables of a run, for the report."""
    return NotebookResult(
        title="Can the measures tell?",
        verdict=verdict(run),
        n=run.claims + run.questions,
        headlines=headlines(run),
        pictures=tuple(pictures),
        tables=(
            scoreboard(run),
            _differences(run),
            _validity(run),
            *card_tables(run.cards),
            *([fresh_table(run.fresh)] if run.fresh else []),
        ),
        facts={
            "generator": run.generator,
            "golden data digest": run.golden_digest,
            "planted questions": str(run.questions),
        },
        data={
            "cards": [card.as_dict() for card in run.cards],
            "fresh": run.fresh.as_dict() if run.fresh else None,
            "validity": {each.measure: sentence(each) for each in run.validity},
            "measures": {
                each.measure: {"noticed": each.noticed.value, "rejected": each.rejected.value}
                for each in run.validity
            },
        },
    )


def headlines(run: ValidityRun) -> tuple[Headline, ...]:
    """How well the light check tells claims apart, and what planted faults come to."""
    used = run.cards[0]
    faulty = [each for each in run.planted if each.faulty]
    passing = _share("meet the targets", faulty, [meets_targets(averages(r)) for r in faulty])
    apart = _share("differ", faulty, [bool(_differing(run, each)) for each in faulty])
    return (
        *_of_claims(used, key=run.fresh is None or run.fresh.auc is None),
        *(_of_claims(run.fresh, ", fresh claims") if run.fresh else ()),
        headline(
            passing, "Faulty generators that pass", "Share of the planted faulty generators that "
            "meet every target of answers.", unit="share", better="lower", target=0.0, key=True,
        ),
        headline(
            apart, "Faulty generators told apart", "Share of the planted faulty generators whose "
            "answers differ from the real ones in a measure, beyond its interval.", target=1.0,
        ),
        *_of_right_answers(run),
    )  # fmt: skip


def verdict(run: ValidityRun) -> str:
    """A paragraph computed from the numbers."""
    used = run.cards[0]
    faulty = [each for each in run.planted if each.faulty]
    passing = [words(each.kind) for each in faulty if meets_targets(averages(each))]
    alike = [words(each.kind) for each in faulty if not _differing(run, each)]
    right = [words(each.kind) for each in run.planted if not each.faulty]
    met = [kind for kind in right if kind in _meeting(run)]
    return " ".join(
        [
            _of_card(used),
            *([_of_card(run.fresh, "fresh ")] if run.fresh else []),
            f"Of {len(faulty)} generators that plant faults, {len(passing) or 'none'} would pass "
            f"as a release{_listed(passing)}; {len(alike) or 'none'} cannot be told from the real "
            f"answers{_listed(alike)}.",
            f"Of {len(right)} that plant right answers, {len(met) or 'none'} would pass, and the "
            f"real one {'would' if meets_targets(averages(run.real)) else 'would not'}: with its "
            "retrieval, not even right answers can cite what was not found.",
        ]
    )


def sentence(validity: Validity) -> str:
    """What stands beside a measure: what it notices, what it rejects, what is out of its reach."""
    reach = ", ".join(map(words, validity.out_of_reach))
    return (
        f"notices {interval(validity.noticed) or 'an unknown share'} of planted faults, rejects "
        f"{interval(validity.rejected) or 'an unknown share'} of right answers"
        + (f"; out of its reach: {reach}" if reach else "")
    )


def scoreboard(run: ValidityRun) -> Table:
    """A row a planted generator, the real one first."""
    rows: list[tuple[Cell, ...]] = []
    for each in (run.real, *run.planted):
        means = averages(each)
        cells = (interval(means[measure]) for measure in SCOREBOARD)
        uncited = f"{each.uncited} of {each.total}" if each.total else ""
        met = "yes" if meets_targets(means) else "no"
        rows.append((words(each.kind), _kind(run, each), len(each.planted), uncited, *cells, met))
    return Table(
        "Planted generators",
        ("generator", "answers", "planted in", "uncited", *map(words, SCOREBOARD), "targets met"),
        tuple(rows),
        f"Means over {run.questions} questions, 95 % intervals. Planted in: answers that the plant "
        "changed, and whose sentences could all cite; the others count here all the same. Uncited: "
        "sentences written by hand whose passage was not retrieved.",
    )


def frame(run: ValidityRun) -> pd.DataFrame:
    """The scoreboard as a data frame, a row per generator."""
    import pandas as pd

    table = scoreboard(run)
    return pd.DataFrame(list(table.rows), columns=list(table.columns)).set_index("generator")


def _differences(run: ValidityRun) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for each in run.planted:
        changes = differences(run.real, each)
        beyond = ", ".join(map(words, differing(changes))) or "none"
        rows.append((words(each.kind), *(_signed(changes[name]) for name in SCOREBOARD), beyond))
    columns = ("generator", *map(words, SCOREBOARD), "beyond the interval")
    caption = "Mean of planted - real over the questions that both were scored on."
    return Table("Planted generators, difference to the real one", columns, tuple(rows), caption)


def _validity(run: ValidityRun) -> Table:
    kinds = [each.kind for each in run.planted if each.faulty]
    rows = tuple(
        (
            words(each.measure), numbers.share(each.passes), interval(each.noticed),
            interval(each.rejected), *(interval(each.by_kind[kind]) for kind in kinds),
            ", ".join(map(words, each.out_of_reach)),
        )
        for each in run.validity
    )  # fmt: skip
    return Table(
        "What each measure notices",
        ("measure", "passes from", "noticed", "right rejected", *map(words, kinds), "out of reach"),
        rows,
        "A fault is noticed where the faulty answer fails the measure; one made by rule counts "
        "only where the answer that it spoils passes. Out of reach: faults that fail no more "
        "surely than right answers do; another measure, or a judge, has to tell them.",
    )


def _of_claims(used: Card, which: str = "", *, key: bool = True) -> tuple[Headline, ...]:
    """Key are those of the fresh claims where they are asked: many more, by hands that saw less."""
    if used.auc is None or used.strict is None:
        return ()
    strict = f"at the threshold that rejects {numbers.share(REJECTED)} of right ones"
    negated = used.strict.noticed_by_kind.get("negated")
    area = Headline(
        name=f"Validity of groundedness{which}",
        meaning="How often a right claim scores above a wrong one (area under the ROC curve).",
        value=used.auc.value, low=used.auc.low, high=used.auc.high, n=used.n, key=key,
    )  # fmt: skip
    if negated is None:
        return (area,)
    meaning = f"Share of negated claims that the {used.checker} check notices, {strict}."
    return (area, headline(negated, f"Negations noticed{which}", meaning, key=key))


def _of_right_answers(run: ValidityRun) -> list[Headline]:
    return [
        headline(
            each.rejected, f"Right answers failing {words(each.measure)}",
            f"Share of right answers, written by hand, below {numbers.share(each.passes)}.",
            better="lower",
        )
        for each in run.validity
        if each.measure == "groundedness"
    ]  # fmt: skip


def _share(name: str, runs: Sequence[PlantedRun], hold: Sequence[bool]) -> Aggregate:
    held = {run.kind: Scored(float(each)) for run, each in zip(runs, hold, strict=True)}
    return aggregate(name, held, proportion=True)


def _differing(run: ValidityRun, planted: PlantedRun) -> tuple[str, ...]:
    return differing(differences(run.real, planted))


def _meeting(run: ValidityRun) -> set[str]:
    return {words(each.kind) for each in run.planted if meets_targets(averages(each))}


def _kind(run: ValidityRun, each: PlantedRun) -> str:
    return "real" if each is run.real else "faulty" if each.faulty else "right"


def _of_card(used: Card, which: str = "") -> str:
    if used.auc is None or used.strict is None:
        return f"No {which}claim could be checked."
    return (
        f"Of two {which}claims, one right and one wrong, the {used.checker} check gives the right "
        f"one the higher score {numbers.share(round(used.auc.value, 3))} of the time; rejecting "
        f"{numbers.share(REJECTED)} of right claims, it notices "
        f"{interval(used.strict.noticed)} of the wrong ones."
    )


def _signed(change: PairedDifference) -> str:
    if change.mean is None:
        return ""
    ends = "" if change.low is None else f" [{change.low:+.2f}, {change.high:+.2f}]"
    return f"{change.mean:+.2f}{ends}"


def _listed(names: Sequence[str]) -> str:
    return f" ({', '.join(names)})" if names else ""
