"""The verdict as Markdown, for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evals.gate.finding import Finding, Flip, Judgement, Status
from evals.gate.wording import COLUMNS, PARTS, cells, line

FLIPS = 10
"""Questions shown with both answers: a choice, the page has all."""

ANSWER_CHARACTERS = 400
"""Of an answer: a choice, enough to see what it says."""

_BLOCKING = (Status.INFRASTRUCTURE, Status.INVALID, Status.REGRESSION, Status.INCONCLUSIVE)


def markdown(judgement: Judgement) -> str:
    """All of it: the verdict, what blocks, every figure, the questions that changed."""
    return "\n".join(_lines(judgement)) + "\n"


def _lines(judgement: Judgement) -> Iterator[str]:
    yield f"## Gate: {line(judgement)}"
    yield ""
    yield f"`{judgement.candidate}` against `{judgement.baseline}`."
    yield ""
    for found in judgement.of(*_BLOCKING):
        yield f"- **{found.status}** {_escaped(found.name)}: {_escaped(found.sentence)}"
    if quiet := judgement.of(Status.NOT_GATED):
        yield f"- not gated: {'; '.join(_escaped(f'{f.name} {f.sentence}') for f in quiet)}"
    for part in PARTS:
        found_of = [f for f in judgement.findings if f.part == part]
        if found_of:
            yield from ("", f"### {part.capitalize()}", "", *_table(found_of))
    yield from _flips(judgement.flips)


def _table(findings: Sequence[Finding]) -> Iterator[str]:
    if all(found.before is None for found in findings):
        yield from (f"- {f.status} {_escaped(f.name)}: {_escaped(f.sentence)}" for f in findings)
        return
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|---" * len(COLUMNS) + "|"
    for found in findings:
        yield f"| {' | '.join(map(_escaped, cells(found)))} |"


def _flips(found: Sequence[Flip]) -> Iterator[str]:
    if not found:
        return
    worse = sum(flip.amount < 0 for flip in found)
    yield from ("", f"### {len(found)} questions changed, {worse} for the worse", "")
    for flip in found[:FLIPS]:
        yield from ("<details>", f"<summary>{_text(flip.question)}: {_text(flip.asked)}</summary>")
        yield from ("", _escaped("; ".join(flip.changes)), "", "| before | after |", "|---|---|")
        yield f"| {_answer(flip.before)} | {_answer(flip.after)} |"
        yield from ("", "</details>", "")
    if len(found) > FLIPS:
        yield f"{len(found) - FLIPS} more are in gate.html."


def _answer(text: str) -> str:
    short = text if len(text) <= ANSWER_CHARACTERS else text[:ANSWER_CHARACTERS] + " …"
    return _text(short)


def _text(text: str) -> str:
    """Words of notes and answers: on one line, and nothing in them is markup or a mention."""
    plain = _escaped(" ".join(text.split()))
    for sign in "*_`[]@":
        plain = plain.replace(sign, f"&#{ord(sign)};")
    return plain


def _escaped(text: str) -> str:
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("|", "&#124;")):
        text = text.replace(sign, name)
    return text
