"""Commands on what measures: fit it, test it, calibrate search, check notebooks."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option

from rag_core.cli import AsJson
from rag_core.domain import HNSW_EF_CONSTRUCTION, HNSW_M


def calibrate(
    folder: Annotated[Path, Argument(metavar="BEIR_DIR", help="The collection.")],
    system: Annotated[
        Literal["exact", "hnsw", "both"], Option(help="Scan all, or walk the HNSW graph.")
    ] = "both",
    mode: Annotated[
        Literal["dense", "lexical", "hybrid", ""], Option(help="Instead of RAG_SEARCH_MODE.")
    ] = "",
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
    from rag_core.domain import SearchMethod, SearchMode

    systems = list(SearchMethod) if system == "both" else [SearchMethod(system)]
    settings = project_settings()
    if mode:
        settings = settings.model_copy(update={"search_mode": SearchMode(mode)})
    if settings.search_mode is SearchMode.LEXICAL:
        systems = [SearchMethod.EXACT]  # it has no vectors to find by an index
    found = asyncio.run(calibration.calibrate(folder, systems, settings, chunked=chunked))
    print(json.dumps(report.as_json(found), indent=2) if as_json else report.as_text(found))


def modes(
    folder: Annotated[Path, Argument(help="A golden folder, or one in BEIR's layout.")],
    seed: Annotated[int, Option(help="Of the intervals and tests.")] = 0,
) -> None:
    """Compare search by vectors, by words and by both.

    Every query goes through the deployed pipeline in each mode, in turns; printed are nDCG@10,
    recall@5 and MRR@10 with what lexical and hybrid search add to dense, paired, with intervals and
    the p of a randomisation test. Vectors are kept for the next time; new ones take a while.

    \b
    examples:
      python -m evals modes golden
      python -m evals modes golden/beir/henry-topics
    """
    from evals.retrieval.modes_command import print_modes

    print_modes(folder, seed)


def crossover(
    sizes: Annotated[
        str, Option(help="Chunks of a user, growing; commas between them.")
    ] = "250,500,1000,2000,4000,8000",
    questions: Annotated[int, Option(min=1, help="Of split dev.")] = 50,
    passes: Annotated[int, Option(min=1, help="Over the questions.")] = 4,
    m: Annotated[int, Option(min=2, max=100, help="Links of a node.")] = HNSW_M,
    ef_construction: Annotated[int, Option(min=4, max=1000)] = HNSW_EF_CONSTRUCTION,
    ef_search: Annotated[int, Option(min=1, max=1000)] = 100,
    write: Annotated[
        Path | None, Option(metavar="FILE", help="Set RAG_EXACT_UP_TO there, such as in .env.")
    ] = None,
) -> None:
    """Say up to how many chunks of a user a scan is faster here.

    Users of growing size share one index in a Postgres of its own; each is searched both ways in
    turns, as deployed. Printed are both medians, what the graph finds of the nearest, and the
    setting RAG_EXACT_UP_TO, where the lines cross. Takes some three minutes, and more for larger
    sizes; let nothing else run meanwhile.

    \b
    examples:
      python -m evals crossover --write .env.production
      python -m evals crossover --sizes 1000,4000,16000 --ef-search 200
    """
    from evals.hnsw.crossover_command import print_crossover

    print_crossover(
        sizes,
        questions=questions,
        passes=passes,
        m=m,
        ef_construction=ef_construction,
        ef_search=ef_search,
        write=write,
    )


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


def follow_ups(
    split: Annotated[
        Literal["test", "dev"], Option(help="dev is what the rules were written on.")
    ] = "test",
    as_json: AsJson = False,
) -> int:
    """Say how often follow-ups find the right note.

    Each golden follow-up is asked after its conversation: as the rules make it a question of its
    own, bare as it was typed, and in full as somebody asks who has asked nothing before. Printed is
    how often a right note is among the first five hits, with 95 % intervals, and how many golden
    questions that stand alone the rules would change. The first time the notes are stored, which
    takes minutes. Exit code 1: follow-ups find the note less than 80 % as often as in full.
    """
    from evals.conversation.command import run_follow_ups

    return run_follow_ups(split, as_json=as_json)


def classes(
    file: Annotated[
        Path | None, Argument(metavar="[FILE.jsonl]", help="Instead of the golden ones.")
    ] = None,
    budgets: Annotated[
        bool, Option("--budgets", help="Also sweep budgets for each class; half a minute.")
    ] = False,
    golden: Annotated[
        Path | None, Option(metavar="DIR", help="To sweep on, instead of golden/.")
    ] = None,
    max_usd: Annotated[float, Option(metavar="USD", help="Most that an LLM may cost.")] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Say how often the rules tell a question's class.

    Each question has a class that a person gave it: look_up wants one fact or passage, list several
    things of a kind, summary the gist of something longer, chit_chat nothing of the notes. Printed
    is the confusion matrix: a row is a class as people say it, a column what the rules of the
    pipeline say. Recall is how many of a class they notice, precision how many are of the class
    that they say. A question that the rules are not sure of is left a look-up: without budgets of
    look-ups (RAG_CLASS_LOOK_UP_…) that is the default, and low recall only saves less; with them,
    lists and summaries that go unnoticed get them too. One that is wrongly given to another class
    gets that class's budgets, and is named. --json names every question.

    With --budgets, the golden questions are split into the classes that the rules say, tokens of
    context and answer are chosen for each on split dev, and split test says whether they lose less
    than two points of the facts. Only what it shows belongs in RAG_CLASS_EVIDENCE; nothing is
    written.

    \b
    A file has a question a line:
      {"id": "1", "class": "list", "question": "Which of my sermons mention forgiveness?"}

    \b
    examples:
      python -m evals classes
      python -m evals classes my-questions.jsonl --json
      python -m evals classes --budgets
    """
    from evals.budgets import by_class, class_verdicts
    from evals.classes import command
    from evals.project import GOLDEN

    found = command.confusion_of(file)
    folder = golden or GOLDEN
    swept = asyncio.run(by_class.study_classes(folder, max_usd=max_usd)) if budgets else {}
    if as_json:
        record = command.as_record(found) | {"budgets": class_verdicts.as_record(swept)}
        print(json.dumps(record, indent=2))
    else:
        texts = [command.as_text(found), *([class_verdicts.as_text(swept)] if swept else [])]
        print("\n\n".join(texts))


def fit(
    target: Annotated[
        Literal["reader", "support", "extractive", "fusion", "answerability"],
        Argument(help="What."),
    ],
) -> None:
    """Fit what is learnt from golden data, on split dev alone.

    reader: the part of the light check that reads claim and source together. Teaches MiniLM's
    layers by the claims of golden/reading, which takes both of two cores 17 minutes, and writes
    evals/measures/support_reader.safetensors. Fit support anew behind it.

    support: the light check of whether a source supports a claim. Prints figures out of fold and
    writes evals/measures/support_weights.json, the same on every run.

    extractive: how the extractive generator chooses its quotes. Tries a grid of values on the
    contexts of the deployed settings, prints the best ones in and out of fold beside the deployed
    ones, and says which to write to ExtractiveWeights; writes nothing itself.

    fusion: what a point of BM25 counts beside the cosine in hybrid search. Prints how much each of
    some weights finds, and which is best beside RAG_LEXICAL_WEIGHT; writes nothing.

    answerability: whether notes can answer a question. Writes rag_core/search/answerability.json,
    the same on every run, and prints what its threshold declines on dev, out of fold, and on test.
    """
    from evals.fit import command

    fits = {
        "reader": command.run_reader_fit,
        "support": command.run_support_fit,
        "extractive": command.run_extractive_fit,
        "fusion": command.run_fusion_fit,
        "answerability": command.run_answerability_fit,
    }
    fits[target]()


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
