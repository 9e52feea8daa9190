"""The light check's reader: what it reads, how it is kept, and that it tells right from wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from evals.datasets.golden import Claim, load
from evals.datasets.reading_claims import reading_claims
from evals.fit.logistic import area_under_curve
from evals.fit.support import claims_digest, source_text
from evals.measures.support_nearest import MOST_PIECES, Nearest, nearest
from evals.measures.support_reader import STORED, Head, load_reader, store
from evals.measures.vectors import Vectors
from evals.project import GOLDEN
from rag_core.adapters.embedders import HashingEmbedder, load_embedder
from tests.evals.light_checks import MODELS, support_reader

FEW = 150


def pieces(text: str) -> int:
    return len(text.split())


def beside(*cosines: float, members: tuple[int, ...] = (0,), words: int = 10) -> Nearest:
    said = [f"{place} " + "word " * (words - 2) + "end." for place in range(len(cosines))]
    of_all = np.array(cosines + (0.0,) * (len(said) - 1), np.float32)
    return Nearest(said, of_all, " ".join(said[place] for place in members), members)


def places(context: str) -> list[int]:
    return [int(word) for word in context.split() if word.isdigit()]


def test_the_unit_is_read_whatever_its_cosine_and_then_what_is_nearest() -> None:
    near = beside(0.1, *(0.9 - 0.1 * place for place in range(8)), members=(0,))
    assert places(near.context(pieces)) == [0, 1, 2, 3, 4, 5, 6]
    assert pieces(near.context(pieces)) == MOST_PIECES


def test_what_is_read_stands_in_the_order_of_the_source() -> None:
    near = beside(0.1, 0.2, 0.9, 0.3, members=(2, 3), words=30)
    assert places(near.context(pieces)) == [2, 3]
    assert places(beside(0.1, 0.9, 0.8, members=(2,)).context(pieces)) == [0, 1, 2]


def test_a_unit_longer_than_all_that_fits_is_read_alone() -> None:
    assert places(beside(0.1, 0.9, members=(0,), words=200).context(pieces)) == [0]


async def test_the_unit_is_a_sentence_or_two_adjacent_ones() -> None:
    source = "The shepherd dug wells. The baker sang a song. The mayor thanked them."
    near = await nearest("The mayor thanked them.", source, Vectors(HashingEmbedder()))
    assert (near.unit, tuple(near.members)) == ("The mayor thanked them.", (2,))
    near = await nearest(
        "The baker sang a song. The mayor thanked them.", source, Vectors(HashingEmbedder())
    )
    assert tuple(near.members) == (1, 2)


def test_the_stored_reader_was_taught_by_the_committed_claims() -> None:
    """If not: python -m evals fit reader."""
    claims = reading_claims(GOLDEN)
    with safe_open(STORED, "numpy") as file:
        note = file.metadata()
    assert note["claims_sha256"] == claims_digest(claims, load(GOLDEN))
    assert note["claims"] == str(len(claims))


def few_dev_claims() -> list[Claim]:
    """On passages that it was not taught by."""
    dev = [claim for claim in load(GOLDEN).claims if claim.split == "dev"]
    return dev[:: len(dev) // FEW]


async def test_it_tells_right_claims_from_wrong_ones_that_it_never_saw(
    exported_model: Path,
) -> None:
    vectors, golden = Vectors(load_embedder(str(exported_model), cache_dir=MODELS)), load(GOLDEN)
    claims = few_dev_claims()
    pairs = [(each.claim, source_text(each, golden)) for each in claims]
    near = [(claim, await nearest(claim, source, vectors)) for claim, source in pairs]
    log_odds = await support_reader().log_odds(near)
    assert area_under_curve(log_odds, np.array([each.supported for each in claims])) > 0.7


async def test_each_answer_is_its_own_whatever_is_asked_beside_it() -> None:
    near = [("The shepherd dug wells.", beside(0.5, 0.4)), ("He did not.", beside(0.2, 0.9))]
    together = await support_reader().log_odds(near)
    apart = [(await support_reader().log_odds([each]))[0] for each in near]
    assert together == pytest.approx(apart, abs=1e-4)


def test_matrices_are_kept_in_bytes_and_come_back_within_half_a_step(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(5, 7)).astype(np.float32)
    weights[3] = 0
    store({"a.weight": weights, "a.bias": weights[0]}, Head(weights[0], 0.5), {}, tmp_path / "file")
    kept = load_file(tmp_path / "file")
    assert kept["a.weight"].dtype == np.int8
    assert np.abs(kept["a.weight"]).max() == 63
    back = kept["a.weight"] * kept["a.weight.scales"][:, np.newaxis]
    assert (np.abs(back - weights) <= kept["a.weight.scales"][:, np.newaxis] * 0.5001).all()
    assert (kept["a.bias"] == weights[0]).all()


def test_its_folder_is_made_once_and_whole(tmp_path: Path) -> None:
    first = load_reader(tmp_path)
    (folder,) = tmp_path.glob("support-reader-*")
    made = folder.stat().st_ino
    again = load_reader(tmp_path)
    assert folder.stat().st_ino == made
    assert first.digest == again.digest
    assert not list(tmp_path.glob(".support-reader-*"))
