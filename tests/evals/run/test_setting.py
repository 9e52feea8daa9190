"""A setting for one run."""

from __future__ import annotations

import os

import pytest

from evals.run.setting import set_for_run
from rag_core.errors import InvalidInput


def test_a_setting_is_in_the_environment_that_the_kernels_inherit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RAG_TOP_K", "5")
    set_for_run(["RAG_TOP_K=8"])
    assert os.environ["RAG_TOP_K"] == "8"


@pytest.mark.parametrize("text", ["RAG_TOP_K", "TOP_K=8", "PATH=/tmp"])
def test_what_is_no_setting_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="RAG_TOP_K=8"):
        set_for_run([text])
