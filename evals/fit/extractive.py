"""Setting how the extractive generator chooses its quotes, on split dev."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evals.budgets.grid import BudgetSetting
from evals.budgets.stages import Parts, Stages
from evals.datasets.golden import GoldenQuestion, GoldenSet
from evals.fit.logistic import Booleans, Floats, folds_by_group
from evals.measures.abstention import SHOULD_ABSTAIN
from evals.measures.quoting import nearly_stands_in, stands_in
from evals.results.table import text_table
from evals.stats.paired import PairedDifference, paired_difference
from evals.stats.score import Score, Scored
from rag_core.adapters.generators import Evidence, ExtractiveGenerator, ExtractiveWeights, quoted

FOLDS = 5
"""Usual for about a hundred rows (Kohavi, 1995)."""
SHORT = 2
"""Quotes of an answer unless one more gains clearly: its words are read and paid for."""

DEPLOYED = ExtractiveWeights()

GRID = tuple(
    ExtractiveWeights(
        terms=terms,
        source=source,
        min_score=min_score,
        min_share_of_best=share,
        near_duplicate=near_duplicate,
        max_quotes=quotes,
    )
    for terms, source, min_score, share, near_duplicate, quotes in itertools.product(
        (0.1, 0.2, 0.4),
        (0.2, 0.4, 0.6),
        (0.2, 0.25, 0.29, 0.328, 0.36, 0.4, 0.44, 0.48, 0.52),
        (0.7, 0.8, 0.9),
        (0.8, 0.9),
        (1, SHORT, SHORT + 1),
    )
    if terms + source <= 0.8
)


@dataclass(frozen=True, eq=False)
class Trial:
    """What answers came to: `worth` and `words`, each float64[questions].

    `worth` is what is maximised, its mean over questions: of a question that the notes answer, the
    share of its facts whose quote stands (nearly) in the answer; of one that they do not, 1 where
    it is declined and 0 where it is answered. `words` is the length of the answer, 0 where it
    declines.
    """

    questions: Sequence[GoldenQuestion]
    worth: Floats
    words: Floats

    @cached_property
    def answerable(self) -> Booleans:
        """bool[questions]: those that the notes answer."""
        return np.array([question.answerable for question in self.questions])

    @property
    def facts_stated(self) -> float:
        """Mean share of a question's facts, of the questions that the notes answer."""
        return float(self.worth[self.answerable].mean())

    @property
    def right_abstentions(self) -> float:
        """Share that is declined of the questions that should be."""
        return float(self.worth[~self.answerable].mean())

    @property
    def words_an_answer(self) -> float:
        """Mean number of words of what is not declined; 0 where all is."""
        return float(self.words.sum() / max(1, (self.words > 0).sum()))

    def gain(self, baseline: Trial) -> PairedDifference:
        """The worth of these answers over that of `baseline`, question by question, a share."""
        groups = {each.id: each.group or each.id for each in self.questions}
        return paired_difference("worth", baseline._scores, self._scores, clusters=groups)

    @property
    def _scores(self) -> dict[str, Score]:
        pairs = zip(self.questions, self.worth, strict=True)
        return {question.id: Scored(float(value)) for question, value in pairs}


@dataclass(frozen=True, eq=False)
class Trials:
    """Every setting tried on every question: `worth` and `words`, float64[settings, questions].

    What they mean says `Trial`.
    """

    settings: Sequence[ExtractiveWeights]
    questions: Sequence[GoldenQuestion]
    worth: Floats
    words: Floats

    @cached_property
    def folds(self) -> NDArray[np.int64]:
        """int64[questions]: the questions of a group in one of `FOLDS`."""
        return folds_by_group([question.group or question.id for question in self.questions], FOLDS)

    def chosen(self, max_quotes: int, fold: int | None = None) -> int:
        """The index of the best setting of at most so many quotes, on all folds but `fold`.

        Of equally good ones the shortest answers, and of those the nearest to the deployed values.
        """
        kept = self.folds != fold
        allowed = [i for i, each in enumerate(self.settings) if each.max_quotes <= max_quotes]
        worth, words = self.worth[:, kept].mean(axis=1), self.words[:, kept].mean(axis=1)
        return min(allowed, key=lambda i: (-round(worth[i], 9), words[i], self._changes(i)))

    def out_of_fold(self, max_quotes: int) -> Trial:
        """Each question at the setting that was chosen without its fold."""
        places = [self.chosen(max_quotes, fold) for fold in range(FOLDS)]
        rows = np.array([places[fold] for fold in self.folds])
        columns = np.arange(len(self.questions))
        return Trial(self.questions, self.worth[rows, columns], self.words[rows, columns])

    def at(self, setting: ExtractiveWeights) -> Trial:
        """All questions at one setting; `ValueError` where it was not tried."""
        place = list(self.settings).index(setting)
        return Trial(self.questions, self.worth[place], self.words[place])

    @property
    def recommended(self) -> ExtractiveWeights:
        """What to deploy: the deployed values, unless others are better out of fold.

        Better is what `PairedDifference.verdict` calls so. Longer answers must be better than the
        best short ones.
        """
        now, short = self.at(DEPLOYED), self.out_of_fold(SHORT)
        if self.out_of_fold(SHORT + 1).gain(short).verdict == "better":
            return self.settings[self.chosen(SHORT + 1)]
        return (
            self.settings[self.chosen(SHORT)] if short.gain(now).verdict == "better" else DEPLOYED
        )

    def _changes(self, place: int) -> int:
        pairs = zip(astuple(self.settings[place]), astuple(DEPLOYED), strict=True)
        return sum(tried != deployed for tried, deployed in pairs)


def asked(golden: GoldenSet) -> list[GoldenQuestion]:
    """The questions of split dev that have facts to state, or that should be declined."""
    return [
        question
        for question in golden.questions
        if question.split == "dev"
        and (question.facts if question.answerable else question.scenario in SHOULD_ABSTAIN)
    ]


async def gathered(
    questions: Sequence[GoldenQuestion],
    parts: Parts,
    setting: BudgetSetting,
    progress: Callable[[int], object] = lambda _: None,
) -> list[Evidence]:
    """What may be quoted to answer each question, from the context that `setting` gives it.

    `progress` is told how many notes more were cut and embedded.
    """
    stages = Stages(parts, depth=setting.top_k)
    await stages.cut(setting.chunking, sorted({each.user for each in questions}), progress)
    generator = ExtractiveGenerator(parts.embedder, parts.tokenizer)
    contexts = [(await stages.context(question, setting)).value for question in questions]
    return [
        await generator.evidence(stages.prompt(question, context)) if context else Evidence()
        for question, context in zip(questions, contexts, strict=True)
    ]


def tried(
    questions: Sequence[GoldenQuestion],
    evidence: Sequence[Evidence],
    settings: Sequence[ExtractiveWeights] = GRID,
) -> Trials:
    """Every setting on every question."""
    shape = (len(settings), len(questions))
    worth, words = np.empty(shape), np.empty(shape)
    for column, (question, found) in enumerate(zip(questions, evidence, strict=True)):
        known: dict[str, float] = {}
        for row, weights in enumerate(settings):
            text = "\n".join(candidate.text for candidate in quoted(found, weights))
            if text not in known:
                known[text] = _worth(question, text)
            worth[row, column], words[row, column] = known[text], len(text.split())
    return Trials(settings, questions, worth, words)


def as_text(trials: Trials) -> str:
    """The deployed and the chosen values, in and out of fold, and which to write.

    A gain over the deployed values is only said out of fold: in it, the best of many looks better
    than it is.
    """
    now, best = trials.at(DEPLOYED), trials.settings[trials.chosen(SHORT)]
    rows = [["deployed", *_cells(now)]]
    for most in (SHORT, SHORT + 1):
        name, held_out = f"best of at most {most} quotes", trials.out_of_fold(most)
        rows.append([name, *_cells(trials.at(trials.settings[trials.chosen(most)]))])
        rows.append([f"{name}, out of fold", *_cells(held_out, held_out.gain(now))])
    lines = [
        f"{len(trials.settings)} settings on {len(trials.questions)} dev questions, "
        f"{(~now.answerable).sum()} of them to decline; {FOLDS} folds by group",
        text_table(_COLUMNS, rows),
        f"deployed: {DEPLOYED}",
        f"best of at most {SHORT} quotes: {best}",
        _advice(trials.recommended),
    ]
    return "\n".join(lines)


_COLUMNS = ("", "worth", "facts stated", "right abstentions", "words", "gain", "95 % interval", "p")


def _cells(trial: Trial, gain: PairedDifference | None = None) -> list[str]:
    figures = (float(trial.worth.mean()), trial.facts_stated, trial.right_abstentions)
    cells = [*(f"{figure:.3f}" for figure in figures), f"{trial.words_an_answer:.0f}"]
    if gain is None or gain.mean is None:
        return [*cells, "", "", ""]
    known = gain.low is not None and gain.high is not None
    interval = f"[{gain.low:+.3f}, {gain.high:+.3f}]" if known else gain.method
    return [*cells, f"{gain.mean:+.3f}", interval, f"{gain.p:.2f}"]


def _advice(recommended: ExtractiveWeights) -> str:
    if recommended == DEPLOYED:
        return "keep the deployed values: no others are surely better out of fold"
    return f"write to ExtractiveWeights: {recommended}"


def _worth(question: GoldenQuestion, text: str) -> float:
    if not question.answerable:
        return float(not text)
    quotes = [fact.quote for fact in question.facts]
    stated = [stands_in(quote, text) or nearly_stands_in(quote, text) for quote in quotes]
    return sum(stated) / len(stated)
