"""The modes of search beside each other, as a command."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from evals.datasets.beir import read_collection
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden_checks import load_checked
from evals.project import project_settings
from evals.results.numbers import cell
from evals.results.table import text_table
from evals.retrieval.modes import ModesRun, collection_modes, golden_modes
from evals.retrieval.modes_result import mode_table, mode_verdict
from evals.retrieval.study import store_collection
from rag_core.bootstrap import assemble


def print_modes(folder: Path, seed: int) -> None:
    """Search in every mode and print the table; `folder` is a golden one or a collection.

    Raises:
        InvalidInput: the folder is neither.
        Unavailable: the database cannot be reached.
    """
    runs = asyncio.run(_searched(folder, seed))
    table = mode_table(runs)
    print(text_table(table.columns, [list(map(cell, row)) for row in table.rows]))
    print(f"\n{mode_verdict(runs)}\n\n{table.caption}")


async def _searched(folder: Path, seed: int) -> Sequence[ModesRun]:
    async with held_open(project_settings()) as settings, assemble(settings) as application:
        if (folder / "corpus.jsonl").is_file():
            collection = await asyncio.to_thread(read_collection, folder)
            await store_collection(application, settings, collection)
            return [await collection_modes(application, settings, collection, seed=seed)]
        golden = await asyncio.to_thread(load_checked, folder)
        await ingest_golden(application, golden)
        return await golden_modes(application, settings, golden, seed=seed)
