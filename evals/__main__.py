"""The command line of the evals. See `python -m evals --help`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from rag_core.cli import AsJson, CommandLine
from rag_core.errors import ConfigurationError

# Commands import what they run themselves, so that --help and mistakes answer at once.
commands = CommandLine("python -m evals")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        return commands.run(arguments)
    except ModuleNotFoundError as error:
        print(f"error: {error.name} is not installed. Run: make install", file=sys.stderr)
        return ConfigurationError.exit_code


@commands.callback()
def in_checkout() -> None:
    """Measures the pipeline that is deployed, on real notes, and reports on it.

    \b
    examples:
      python -m evals run --profile smoke              all notebooks, a first look
      python -m evals run --profile full --only quality
      python -m evals run --profile smoke --parameter seed=7
      python -m evals scaffold my-golden && python -m evals run --golden my-golden
      python -m evals sweep --profile smoke            which token budgets to set
      python -m evals compare reports/RUN reports/RUN  what changed between two runs
      python -m evals calibrate golden/beir/henry-headings
      python -m evals claims
      python -m evals bench cache --only frozen
      python -m evals fit support
      python -m evals lint

    \b
    exit codes: 0 pass, 1 a reference was missed or an answer was wrong, 2 wrong input,
    3 invalid or nothing measured, 4 a server or kernel failed
    """
    from evals.project import require_checkout

    require_checkout()


@commands.command()
def run(
    profile: Annotated[Literal["smoke", "full"], Option(help="smoke: a quick look.")] = "full",
    only: Annotated[str | None, Option(metavar="NAME", help="One notebook, like quality.")] = None,
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
) -> int:
    """Run the notebooks and write a report.

    Stores the golden notes, executes the notebooks one after the other, and writes reports/RUN/
    with index.html to open, summary.json, manifest.json and the executed notebooks. Stored notes
    are not stored again, so a second run is quick. smoke leaves the large collections out.
    """
    from evals.project import GOLDEN, NOTEBOOKS, REPORTS
    from evals.run.evaluation import RunOptions, evaluate
    from evals.run.notebooks import parse_parameter

    parameters = dict(map(parse_parameter, parameter or []))
    if max_usd is not None:
        parameters["max_usd"] = max_usd
    reports = (out or REPORTS).absolute()
    folder = (golden or GOLDEN).absolute()
    return evaluate(RunOptions(profile, NOTEBOOKS, reports, only, parameters, folder))


@commands.command()
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


@commands.command()
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


@commands.command()
def calibrate(
    folder: Annotated[Path, Argument(metavar="BEIR_DIR", help="The collection.")],
    system: Annotated[
        Literal["exact", "hnsw", "both"], Option(help="Scan all, or walk the HNSW graph.")
    ] = "both",
    chunked: Annotated[bool, Option("--chunked", help="Also cut them as notes are.")] = False,
    as_json: AsJson = False,
) -> None:
    """Score a BEIR-layout folder by our own ingest and search.

    Ingests the documents of the folder (corpus.jsonl, queries.jsonl, qrels/test.tsv) as notes, asks
    its queries, and prints nDCG@10, recall@5 and MRR@10 beside known figures. A document is one
    chunk of at most 256 word pieces, as published figures are made. With --chunked
    they are also cut as notes are, and ranked by their best chunk. Asking again costs no ingest.
    """
    from evals.project import project_settings
    from evals.retrieval import calibrate as calibration
    from evals.retrieval import calibration_report as report
    from rag_core.domain import SearchMethod

    systems = list(SearchMethod) if system == "both" else [SearchMethod(system)]
    found = asyncio.run(calibration.calibrate(folder, systems, project_settings(), chunked=chunked))
    print(json.dumps(report.as_json(found), indent=2) if as_json else report.as_text(found))


@commands.command()
def validate(
    folder: Annotated[Path, Argument(metavar="DIR", help="Such as golden.")],
    write_hashes: Annotated[
        bool, Option("--write-hashes", help="Accept all questions as they are now.")
    ] = False,
) -> int:
    """Check a folder of golden data for mistakes.

    Prints a line for each: file:line, field, what is wrong, and the fix; exit code 3 when there is
    one. With --write-hashes, and where all else is right, each question gets a hash of its text,
    gold and facts; an edit afterwards is a mistake until the hashes are written again.
    """
    from evals.datasets.golden_checks import check_folder
    from evals.datasets.golden_hashes import write_hashes as write

    problems = check_folder(folder, hashes=not write_hashes)
    print("\n".join(problems) or f"{folder}: nothing to complain of")
    if write_hashes and not problems:
        print(f"{folder}/questions.jsonl: {write(folder)} hashes changed")
    return 3 if problems else 0


@commands.command()
def scaffold(
    folder: Annotated[Path, Argument(metavar="DIR", help="A new folder, such as my-golden.")],
) -> None:
    """Begin a golden folder of your own.

    Writes an example of two users' notes and of a question of each common kind, and a README that
    explains every field. It is valid and can be run as it is; replace it line by line.

    \b
    from here to a report:
      python -m evals scaffold my-golden          write the example
      $EDITOR my-golden/notes/ann.jsonl           your notes, in the format of rag_core ingest
      $EDITOR my-golden/questions.jsonl           your questions; only id, user, question are needed
      python -m evals validate my-golden          every mistake with file, line, field and fix
      python -m evals run --golden my-golden      ask, measure, report
    """
    from evals.datasets.scaffold import scaffold as write

    print("\n".join(f"wrote {path}" for path in write(folder)))
    print(f"next: read {folder}/README.md, then python -m evals validate {folder}")


@commands.command()
def claims(
    file: Annotated[
        Path | None, Argument(metavar="[FILE.jsonl]", help="Instead of the golden test claims.")
    ] = None,
    max_usd: Annotated[float, Option(metavar="USD", help="Most that an LLM judge may cost.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Say how well claims are checked against their sources.

    Every checker there is judges every claim: the light one, the plain cosine and ragas' metrics,
    a verifier if RAG_VERIFIER_MODEL is set, the judge if RAG_JUDGE_BASE_URL and _MODEL are. Printed
    are the area under the ROC curve, and what each notices of wrong claims and rejects of right
    ones, by kind, at its own threshold and at the one that rejects 15 % of right claims.

    \b
    A file has a claim a line, in our columns or in those of LLM-AggreFact:
      {"claim": "…", "evidence": "…", "supported": true, "kind": "paraphrase", "group": "g1"}
      {"claim": "…", "doc": "…", "label": 1, "dataset": "RAGTruth"}

    kind and group may be left out; without a group, claims on one source hang together.
    """
    from evals.validity.command import print_cards

    print_cards(file, as_json=as_json, max_usd=max_usd)


@commands.command()
def build_golden(
    source: Annotated[Path, Argument(metavar="SOURCE_DIR", help="Passages and attacks.")],
    beir: Annotated[Path, Argument(metavar="BEIR_DIR", help="The retrieval collections.")],
    out: Annotated[Path, Argument(metavar="OUT_DIR", help="Such as golden.")],
) -> None:
    """Build the golden notes from Henry's passages.

    Byte for byte the same on every run. questions.jsonl and DATASHEET.md are written by hand and
    are not touched.
    """
    from evals.datasets.golden_build import build

    build(source, beir, out)
    print(f"wrote {out}/notes, passages.jsonl, attacks.jsonl and beir/")


@commands.command()
def bench(
    name: Annotated[Literal["cache", "store", "embedders"], Argument(help="What of.")],
    only: Annotated[
        str | None, Option(metavar="PART", help="One part; a wrong one lists all.")
    ] = None,
) -> int:
    """Measure costs on this machine, beside references.

    cache takes about two minutes, store some three, embedders one. Exit code 1 when a figure misses
    its reference.
    """
    from evals.bench.command import run_benches

    return run_benches(name, only)


@commands.command()
def fit(target: Annotated[Literal["support"], Argument(help="What.")]) -> None:
    """Fit what is learnt from golden claims, on split dev alone.

    support: the light check of whether a source supports a claim. Prints figures out of fold and
    writes evals/measures/support_weights.json, the same on every run.
    """
    from evals.fit.command import run_support_fit

    run_support_fit()


@commands.command()
def consistency(
    steps: Annotated[int, Option(min=1)] = 100_000,
    seed: int = 1,
    rule: Annotated[
        str, Option("--break", metavar="RULE", help="Break it on purpose; a wrong one lists all.")
    ] = "nothing",
) -> int:
    """Try to make the caches serve changed evidence.

    Clients ask, edit, import and delete at random through eight pipelines with different settings,
    over a real Postgres and two real Valkeys, while sessions are ended, connections cut and held,
    readers and writers paused, a replica is promoted and the old primary still written to, keys are
    lost and old snapshots restored, clocks set and notes changed by plain SQL. Every answer says
    which versions of which notes it rests on; all of them must have been committed at one moment
    while the question was being answered, or, for a worker that may be late, no longer ago than
    that. Exit code 1 for what must not be, 3 for a trial that tried little.

    With a RULE broken, such as 'late epoch', it stops when that is found.
    """
    from evals.consistency.command import run_trial

    return run_trial(steps, seed, rule)


@commands.command()
def simulator() -> None:
    """Print the cache simulator's figures beside references.

    Hit rates on a known trace, the gaps to the closed forms, and its speed.
    """
    from evals.simulation.agreement import print_agreement

    print_agreement()


@commands.command()
def lint(
    folder: Annotated[
        Path | None, Argument(metavar="[DIR]", help="Another folder than notebooks/.")
    ] = None,
    fix: Annotated[bool, Option("--fix", help="First clear what runs left in them.")] = False,
) -> int:
    """Check that notebooks hold no logic and no outputs.

    Each notebook begins with Markdown, has one cell tagged 'parameters' with a comment on each
    line, defines no function or class, and holds no outputs. The exit code is 3 where one does not.
    With --fix, outputs, execution counts and metadata of editors are cleared first; save and close
    the notebooks in JupyterLab before.
    """
    from evals.project import NOTEBOOKS
    from evals.run.notebook_lint import clear_folder, lint_folder

    for name in clear_folder(folder or NOTEBOOKS) if fix else ():
        print(f"{name}: cleared")
    problems = lint_folder(folder or NOTEBOOKS)
    print("\n".join(problems) or "notebooks: nothing to complain of")
    return 3 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
