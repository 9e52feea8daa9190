"""What is searched: vectors of real sentences, then perturbed copies; questions to search for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from evals.datasets.golden import GoldenSet, Split
from evals.measures.kept_vectors import KeptEmbedder
from rag_core.cli import progress_bar
from rag_core.domain import split_sentences
from rag_core.errors import InvalidInput

if TYPE_CHECKING:
    from rag_core.domain import Matrix

SHORTEST = 20
"""Characters of a sentence that counts; shorter ones are "Amen." and numbers."""
MOVED = 0.3
"""How far a perturbed copy is moved, as a share of the way between two other vectors: chosen, the
cosine to its original is then about 0.93, and its directions are those of real text."""
_AT_ONCE = 256


@dataclass(frozen=True, eq=False)
class Corpus:
    """Rows to search, and what to search for.

    `vectors` float32[n, 384] of unit length; a number of them, `real`, are of sentences and come
    first, the rest perturbed copies. `questions` are float32[m, 384] by split of the golden ones;
    where not `apart`, a folder has one split and its questions are both.
    """

    vectors: Matrix
    real: int
    questions: Mapping[Split, Matrix]
    apart: bool = True

    def made_of(self, size: int) -> str:
        """What the first `size` rows are, in words."""
        copies = max(0, size - self.real)
        said = f"{min(size, self.real):,} real sentences"
        return f"{said}, {copies:,} perturbed copies" if copies else said


async def corpus(
    golden: GoldenSet, embedder: KeptEmbedder, size: int, *, questions: int, seed: int = 0
) -> Corpus:
    """`size` rows: as many real sentences as there are, whole notes in an order drawn by `seed`.

    `questions` is the number of questions of each split that are searched for, at the most.

    Raises:
        InvalidInput: the folder lacks sentences or questions.
    """
    texts = sentences(golden, seed)[:size]
    if not (texts and golden.questions):
        raise InvalidInput("golden", "needs notes, and questions to search for")
    real = await _embedded(embedder, texts)
    dev, test = (_asked(golden, split)[:questions] for split in ("dev", "test"))
    return Corpus(
        vectors=enlarged(real, size, seed=seed),
        real=len(texts),
        questions={"dev": await embedder.embed(dev), "test": await embedder.embed(test)},
        apart=dev != test,
    )


def _asked(golden: GoldenSet, split: Split) -> list[str]:
    """The questions of a split; all of them in a folder that has none of it."""
    of_split = [each.question for each in golden.questions if each.split == split]
    return of_split or [each.question for each in golden.questions]


def sentences(golden: GoldenSet, seed: int) -> list[str]:
    """Every sentence of the notes once; notes shuffled, sentences of one together."""
    bodies = [body for file in golden.notes.values() for body in file.bodies.values()]
    order = np.random.default_rng(seed).permutation(len(bodies))
    found = (sentence for place in order for sentence in split_sentences(bodies[place]))
    return list(dict.fromkeys(each for each in found if len(each) >= SHORTEST))


def enlarged(real: Matrix, size: int, *, seed: int = 0) -> Matrix:
    """`real` float32[n, 384], then perturbed copies of it; float32[size, 384], unit length.

    A copy is v + `MOVED` * (a - b) for rows v, a, b of `real`, brought back to unit length.

    Raises:
        InvalidInput: copies are wanted, and there are not even two rows.
    """
    if len(real) < 2 and size > len(real):
        raise InvalidInput("golden", "needs notes of at least two sentences to make copies of")
    rng = np.random.default_rng(seed)
    parts = [real[:size], *_copies(real, size - len(real), rng)]
    return np.concatenate(parts).astype(np.float32)


def _copies(real: Matrix, missing: int, rng: np.random.Generator) -> Iterator[Matrix]:
    for first in range(0, missing, len(real)):
        originals = real[: missing - first]
        a = rng.integers(len(real), size=len(originals))
        b = (a + rng.integers(1, len(real), size=len(originals))) % len(real)  # never a itself
        moved = originals + MOVED * (real[a] - real[b])
        yield moved / np.linalg.norm(moved, axis=1, keepdims=True)


async def _embedded(embedder: KeptEmbedder, texts: list[str]) -> Matrix:
    parts = []
    with progress_bar(len(texts), "embed sentences", "sentence") as bar:
        for first in range(0, len(texts), _AT_ONCE):
            parts.append(await embedder.embed(texts[first : first + _AT_ONCE]))
            bar.update(len(parts[-1]))
    return np.concatenate(parts)
