"""A benchmark prints its figures beside their references, and its exit code says if all are met."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.bench import command, embedders
from evals.bench.figures import Figure
from rag_core.adapters.embedders import HashingEmbedder


@pytest.mark.parametrize(("met", "code"), [(True, 0), (None, 0), (False, 1)])
def test_a_missed_reference_is_the_exit_code(
    met: bool | None,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def measure(folder: Path) -> list[Figure]:
        return [Figure("a save", "3 ms", "≤ 2 ms", met)]

    monkeypatch.setitem(command.SETS, "store", {"save": measure, "other": measure})
    assert command.run_benches("store", "save") == code
    printed = capsys.readouterr().out
    assert ("MISSED" in printed) is (met is False)
    assert printed.count("a save") == 1


async def test_both_backends_are_measured_and_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embedders that need no loading: that the real ones agree, a test of theirs holds."""
    monkeypatch.setattr(embedders, "TEXTS", 5)
    monkeypatch.setattr(embedders, "load_embedder", lambda model, **options: HashingEmbedder())
    *_, agreement, near = await embedders.backends(tmp_path)
    assert near.measured == "1.0000"
    assert agreement.met
