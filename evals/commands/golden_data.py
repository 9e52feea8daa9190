"""Commands on golden data: begin a folder, check it, build the one that ships."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option


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


def feedback(
    since: Annotated[
        datetime | None, Option(formats=["%Y-%m-%d"], help="A day of UTC, included.")
    ] = None,
    by: Annotated[Literal["day", "week", "month"], Option(help="What to sum up by.")] = "week",
    out: Annotated[
        Path | None, Option(metavar="FILE.jsonl", help="Write candidates for golden questions.")
    ] = None,
    user: Annotated[str, Option(metavar="ID", help="Only this user's.")] = "",
) -> int:
    """Say what readers thought, and make golden candidates of it.

    Prints the share of thumbs that point up, period by period, with an interval: the wider of
    Wilson's for so many thumbs and the bootstrap over users. Reads the table that POST /feedback
    fills; exit code 3 where nobody has said anything.

    With --out each question becomes a line that a person edits: what should have been found and
    said, then without its review into questions.jsonl of a golden folder. It holds what users
    wrote: treat it as you treat their notes.

    \b
    examples:
      python -m evals feedback
      python -m evals feedback --by month --since 2026-01-01 --out build/candidates.jsonl
    """
    from evals.feedback.command import print_feedback

    return print_feedback(since.date() if since else None, by, out, user)


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
