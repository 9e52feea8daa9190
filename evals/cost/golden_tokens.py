"""Tokens that the golden questions take, from a quality run's result or measured now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evals.cost.model import DRAWS, MeasuredTokens, StatedTokens, Tokens
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden_checks import load_checked
from evals.measures.asking import ask_golden, generators_of
from evals.project import CANARY, GOLDEN, project_settings
from evals.results.result import NotebookResult, read_result
from evals.stats.intervals import Estimate
from rag_core.bootstrap import assemble
from rag_core.errors import InvalidInput


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TokenSample:
    """Tokens in and out of the golden questions that reached the generator.

    The others (refused, or with nothing found) cost nothing; how many of those real traffic has,
    golden data do not say, so they are left out and the cost is, if anything, too high.
    """

    tokens: MeasuredTokens
    asked: int
    """Number of questions, those too that did not reach the generator."""
    generator: str
    source: str

    @property
    def generated(self) -> int:
        """Number of questions that reached the generator."""
        return len(self.tokens.input)

    @property
    def extractive(self) -> bool:
        """Whether answers are quotes, so that nobody knows yet how long an LLM's would be."""
        return "extractive" in self.generator

    def priced(self, supposed_output: Estimate) -> Tokens:
        """What an LLM's answer takes: as measured, or, until one has answered, as supposed.

        The prompt is the same for every generator, so tokens in are measured in any case.
        """
        if not self.extractive:
            return self.tokens
        tokens_in, _ = self.tokens.means()
        drawn, _ = self.tokens.draws(np.random.default_rng(7), DRAWS)
        return StatedTokens(input=Estimate.of_draws(tokens_in, drawn), output=supposed_output)


async def golden_tokens(quality_result: Path, golden_dir: Path = GOLDEN) -> TokenSample:
    """The tokens in the quality notebook's result, or measured now if there is none.

    Raises:
        InvalidInput: the result holds no tokens.
        Unavailable: there is none, and the database cannot be reached.
    """
    return stored_tokens(quality_result) or await tokens_measured_now(golden_dir)


def stored_tokens(quality_result: Path) -> TokenSample | None:
    """The tokens in the quality notebook's result; None if there is none."""
    return tokens_of_result(quality_result) if quality_result.is_file() else None


def tokens_of_result(path: Path) -> TokenSample:
    """The tokens in the result of the quality notebook.

    Raises:
        InvalidInput: there is no such result, or it holds no tokens.
    """
    result = read_result(path)
    rows = _rows(result, path)
    questions = sorted(rows["input_tokens"])
    pairs = [(_value(rows, "input_tokens", q), _value(rows, "output_tokens", q)) for q in questions]
    return _sample(
        pairs, generator=result.facts.get("generator", "unknown"), source=f"result of {path.stem}"
    )


async def tokens_measured_now(golden_dir: Path = GOLDEN) -> TokenSample:
    """Ask the pipeline every golden question; minutes where the notes are not stored yet.

    Raises:
        InvalidInput: the folder has a mistake, or no question reached the generator.
        Unavailable: the database cannot be reached.
    """
    golden = load_checked(golden_dir)
    async with (
        held_open(project_settings()) as ready,
        assemble(ready, canary=CANARY) as application,
    ):
        await ingest_golden(application, golden)
        observations = await ask_golden(application, golden)
    usages = [seen.answer.usage for seen in observations if seen.answer]
    return _sample(
        [(float(usage.input_tokens), float(usage.output_tokens)) for usage in usages],
        generator=generators_of(observations),
        source="measured by this notebook",
    )


def _sample(pairs: Sequence[tuple[float, float]], *, generator: str, source: str) -> TokenSample:
    generated = [pair for pair in pairs if pair[0] > 0]
    if not generated:
        raise InvalidInput("tokens", f"no question reached the generator ({source})")
    tokens_in, tokens_out = zip(*generated, strict=True)
    return TokenSample(
        tokens=MeasuredTokens.of(tokens_in, tokens_out),
        asked=len(pairs),
        generator=generator,
        source=source,
    )


def _rows(result: NotebookResult, path: Path) -> Mapping[str, Mapping[str, Mapping[str, object]]]:
    try:
        rows: Mapping[str, Mapping[str, Mapping[str, object]]] = result.data["summary"]["rows"]
        return {name: rows[name] for name in ("input_tokens", "output_tokens")}
    except (KeyError, TypeError) as error:
        raise InvalidInput(
            str(path), "holds no tokens of answers", "Give the result of 01_quality"
        ) from error


def _value(
    rows: Mapping[str, Mapping[str, Mapping[str, object]]], measure: str, question: str
) -> float:
    """Tokens of a question; 0 where the call failed, which then counts as asked only."""
    value = rows[measure].get(question, {}).get("value", 0.0)
    return float(value) if isinstance(value, int | float) else 0.0
