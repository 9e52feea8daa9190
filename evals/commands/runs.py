"""Commands on runs: run the notebooks, sweep budgets, compare two runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from rag_core.cli import AsJson


def run(
    profile: Annotated[
        Literal["smoke", "full", "bench"],
        Option(help="smoke: a quick look; bench: hours, for hnsw to 100,000 rows."),
    ] = "full",
    only: Annotated[
        str | None, Option(metavar="NAME,…", help="Some notebooks, like quality.")
    ] = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="Instead of reports/.")] = None,
    parameter: Annotated[
        list[str] | None, Option(metavar="NAME=VALUE", help="A notebook's, as seed=7; repeatable.")
    ] = None,
    golden: Annotated[
        Path | None, Option(metavar="DIR", help="Your notes and questions; see scaffold.")
    ] = None,
    max_usd: Annotated[
        float | None, Option(metavar="USD", help="Most that an LLM judge may cost (1.0).")
    ] = None,
    trace: Annotated[
        Path | None, Option(metavar="FILE", help="What RAG_TRACE_FILE recorded, for the caches.")
    ] = None,
    setting: Annotated[
        list[str] | None,
        Option("--set", metavar="RAG_X=VALUE", help="A setting for this run; repeatable."),
    ] = None,
    again: Annotated[bool, Option("--again", help="Measure anew what has not changed.")] = False,
) -> int:
    """Run the notebooks and write a report.

    Stores the golden notes, executes the notebooks one after the other, and writes reports/RUN/
    with index.html to open, summary.json, manifest.json and the executed notebooks. Stored notes
    are not stored again, so a second run is quick. smoke leaves the large collections out. With
    --trace the cache notebook weighs TTLs on traffic that was recorded, not supposed.

    A run that was killed goes on where it was: finished notebooks are taken as they are, and
    questions that were answered are not asked again. Nor is measured again what depends on nothing
    that changed: code, data, settings, packages, machine; --again does it all the same.

    Two settings on the same questions are two runs and a comparison.

    \b
    examples:
      python -m evals run --only quality --out reports/a
      python -m evals run --only quality --out reports/b --set RAG_PROMPT_FILE=brief.txt
      python -m evals compare reports/a/RUN reports/b/RUN
    """
    from evals.project import GOLDEN, NOTEBOOKS, REPORTS
    from evals.run.evaluation import RunOptions, evaluate
    from evals.run.notebooks import parse_parameter
    from evals.run.setting import set_for_run
    from evals.simulation.trace_file import read_trace

    set_for_run(setting or [])
    parameters = dict(map(parse_parameter, parameter or []))
    if max_usd is not None:
        parameters["max_usd"] = max_usd
    if trace is not None:
        read_trace(trace)  # what is wrong with it is said before anything starts
        parameters["trace"] = str(trace.absolute())
    reports = (out or REPORTS).absolute()
    folder = (golden or GOLDEN).absolute()
    return evaluate(RunOptions(profile, NOTEBOOKS, reports, only, parameters, folder, again))


def sweep(
    profile: Annotated[Literal["smoke", "full"], Option(help="Which values to try.")] = "full",
    golden: Annotated[
        Path | None, Option(metavar="DIR", help="Another folder of golden data than golden/.")
    ] = None,
    context_tokens: Annotated[str, Option(metavar="N,…", help="As 300,600,1200.")] = "",
    top_k: Annotated[str, Option(metavar="N,…", help="As 3,5,8.")] = "",
    chunking: Annotated[
        str, Option(metavar="N/N,…", help="Tokens and overlap, as 200/40,100/20; or worse.")
    ] = "",
    min_score: Annotated[str, Option(metavar="X,…", help="As 0.2,0.3.")] = "",
    min_answerability: Annotated[
        str, Option(metavar="X,…", help="As 0.01,0.03; in lexical and hybrid search.")
    ] = "",
    output_tokens: Annotated[str, Option(metavar="N,…", help="As 100,400.")] = "",
    objective: Annotated[
        str, Option(help="cheapest, or best-under-X, in dollars per 1,000 questions.")
    ] = "cheapest",
    tolerance: Annotated[float, Option(help="Share of facts that counts as no loss.")] = 0.02,
    max_usd: Annotated[float, Option(metavar="USD", help="Most that an LLM may cost.")] = 1.0,
    seed: Annotated[int, Option(help="Of the intervals' resamples.")] = 0,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, Option(metavar="DIR", help="For result, pictures and budgets.env.")
    ] = None,
) -> None:
    """Try token budgets on golden questions and choose.

    Every combination of the values is asked of the questions of split dev: how many facts reach
    the context, how many the answer states, tokens, dollars. The setting that meets the objective
    is then asked of split test, beside the current one; the sentence below the table says whether
    test confirms it. The current values are always among those tried. Each new chunking embeds all
    notes once, a minute or more, and keeps the vectors under RAG_HOME; three at most.

    \b
    examples:
      python -m evals sweep --profile smoke
      python -m evals sweep --context-tokens 300,600,900 --top-k 3,5 --out reports/budgets
      python -m evals sweep --objective best-under-0.15
      python -m evals sweep --profile smoke --chunking worse    what bad chunks look like
    """
    from evals.budgets.choice import Objective
    from evals.budgets.command import run_sweep
    from evals.budgets.study import Asked
    from evals.project import GOLDEN, ROOT
    from evals.run.manifest import revision

    texts = {
        "context_tokens": context_tokens,
        "top_k": top_k,
        "chunking": chunking,
        "min_score": min_score,
        "min_answerability": min_answerability,
        "output_tokens": output_tokens,
    }
    asked = Asked(
        profile=profile,
        golden=golden or GOLDEN,
        axes=texts,
        objective=Objective.parse(objective, tolerance=tolerance),
        max_usd=max_usd,
        seed=seed,
        commit=revision(ROOT).short,
    )
    print(run_sweep(asked, as_text=not as_json, out=out.absolute() if out else None))


def compare(
    before: Annotated[Path, Argument(metavar="RUN", help="A folder under reports/.")],
    after: Annotated[Path, Argument(metavar="RUN", help="Another; or its summary.json.")],
    seed: Annotated[int, Option(help="Of the intervals' resamples.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Compare two runs question by question.

    Pairs what the quality notebook measured of each question in the two runs: which measures
    became better or worse, by how much, with 95 % intervals, and the questions that changed most
    with both answers. Both must have asked the same golden data. Times are shown, but are the
    machine's as much as the code's.
    """
    from evals.comparison.command import run_compare

    print(run_compare(before, after, as_text=not as_json, seed=seed))
