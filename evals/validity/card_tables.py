"""Tables of checkers' cards: for a terminal, and for the report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from evals.measures.scores import Aggregate
from evals.measures.validity.card import REJECTED, Card, Operation
from evals.results import numbers
from evals.results.result import Cell, Table
from evals.results.table import text_table
from evals.stats.intervals import Estimate

Shares = Callable[[Operation], Mapping[str, Aggregate]]

_STRICT = f"at the threshold that rejects {numbers.share(REJECTED)} of right claims"
_CHECKERS = (
    "checker", "claims", "unscored", "AUC", "threshold", "balanced accuracy", "wrong noticed",
    "right rejected", f"threshold at {numbers.share(REJECTED)}", "wrong noticed there",
    "out of reach",
)  # fmt: skip


def card_tables(cards: Sequence[Card]) -> tuple[Table, ...]:
    """A row a checker, then what each notices and rejects, a row a kind of claim."""
    strict = {card.checker: card.strict for card in cards}
    own = {card.checker: card.own for card in cards}
    return (
        Table("Checkers", _CHECKERS, tuple(map(_row, cards)), _caption()),
        _by_kind(f"Wrong claims noticed, {_STRICT}", strict, _noticed),
        _by_kind(f"Right claims rejected, {_STRICT}", strict, _rejected),
        _by_kind("Wrong claims noticed, at the checker's own threshold", own, _noticed),
        _by_kind("Right claims rejected, at the checker's own threshold", own, _rejected),
    )


def fresh_table(card: Card) -> Table:
    """What a checker makes of claims that nothing was fitted to, a row a kind of claim."""
    columns = ("kind", "claims", "rejected, at its own threshold", f"rejected, {_STRICT}")
    rows: list[tuple[Cell, ...]] = []
    for name, shares in (("wrong", _noticed), ("right", _rejected)):
        own, strict = (shares(at) if at else {} for at in (card.own, card.strict))
        kinds = sorted(own, key=lambda kind: (kind == "all", kind))
        rows += [
            (f"{name}: {kind}", own[kind].n, interval(own[kind]), interval(strict.get(kind)))
            for kind in kinds
        ]
    area = f" Area under the ROC curve {_estimate(card.auc)}." if card.auc else ""
    return Table(f"Fresh claims, {card.checker} check", columns, tuple(rows), _caption() + area)


def as_text(tables: Sequence[Table]) -> str:
    """The tables one below the other, each under its title."""
    shown = []
    for table in tables:
        rows = [[numbers.cell(cell) for cell in row] for row in table.rows]
        shown.append(f"{table.title}\n{text_table(table.columns, rows)}\n{table.caption}".strip())
    return "\n\n".join(shown)


def interval(aggregate: Aggregate | None) -> str:
    """A share with its interval, or nothing: `62 % [41 %, 79 %]`."""
    if aggregate is None or aggregate.value is None:
        return ""
    value = numbers.share(round(aggregate.value, 3))
    if aggregate.low is None or aggregate.high is None:
        return value
    low, high = (f"{100 * end:.0f} %" for end in (aggregate.low, aggregate.high))
    return f"{value} [{low}, {high}]"


def _noticed(at: Operation) -> Mapping[str, Aggregate]:
    return {**at.noticed_by_kind, "all": at.noticed}


def _rejected(at: Operation) -> Mapping[str, Aggregate]:
    return {**at.rejected_by_kind, "all": at.rejected}


def _caption() -> str:
    return (
        "Intervals are 95 %, over groups of claims that hang together. Out of reach: kinds whose "
        "wrong claims are rejected no more surely than right ones are; a judge has to tell them."
    )


def _row(card: Card) -> tuple[Cell, ...]:
    named = (card.checker, card.n, _reasons(card.unscored))
    if card.auc is None or card.own is None or card.strict is None:
        return (*named, *[None] * (len(_CHECKERS) - len(named)))
    return (
        *named,
        _estimate(card.auc),
        round(card.own.threshold, 3),
        _estimate(card.own.balanced_accuracy),
        interval(card.own.noticed),
        interval(card.own.rejected),
        round(card.strict.threshold, 3),
        interval(card.strict.noticed),
        ", ".join(card.strict.out_of_reach) or "nothing",
    )


def _by_kind(title: str, operations: Mapping[str, Operation | None], shares: Shares) -> Table:
    of_checker = {name: shares(at) for name, at in operations.items() if at}
    kinds = dict.fromkeys(kind for found in of_checker.values() for kind in found)
    counts = {kind: found[kind].n for found in of_checker.values() for kind in found}
    rows: list[tuple[Cell, ...]] = [
        (kind, counts[kind], *(interval(found.get(kind)) for found in of_checker.values()))
        for kind in sorted(kinds, key=lambda kind: (kind == "all", kind))
    ]
    return Table(title, ("kind", "claims", *of_checker), tuple(rows))


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def _reasons(unscored: Mapping[str, int]) -> str:
    return "; ".join(f"{n} × {why}" for why, n in unscored.items())
