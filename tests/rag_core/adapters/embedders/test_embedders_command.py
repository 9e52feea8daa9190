"""`python -m rag_core.adapters.embedders` measures both backends, or says what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag_core.adapters.embedders.__main__ import main
from rag_core.errors import InvalidInput

NOTES = Path(__file__).resolve().parents[4] / "golden" / "notes" / "golden-law.jsonl"


@pytest.mark.usefixtures("torch_embedder")
def test_it_prints_both_backends_and_how_far_they_agree(
    models_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main([str(NOTES), "--texts", "5", "--cache-dir", str(models_dir)])

    first, second, agreement = capsys.readouterr().out.splitlines()
    assert code == 0
    assert "OnnxEmbedder" in first
    assert "SentenceTransformersEmbedder" in second
    assert float(agreement.rpartition(" ")[2]) >= 0.9999


def test_notes_that_cannot_be_read_are_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for content in [None, "", "not json", '{"title": "no body"}', "[1]"]:
        path = tmp_path / "notes.jsonl"
        if content is not None:
            path.write_text(content)

        code = main([str(path)])

        assert code == InvalidInput.exit_code
        assert str(path) in capsys.readouterr().err
