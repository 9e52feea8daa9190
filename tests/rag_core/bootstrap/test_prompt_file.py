"""Other words for how to answer: what is sent, what is cached, and what is refused."""

from __future__ import annotations

from itertools import repeat
from pathlib import Path

import pytest

from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import assemble, prompt_rules
from rag_core.domain import GUIDANCE, RULES, Tokenizer, UserId
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for


def file_with(folder: Path, words: str) -> Path:
    file = folder / "prompt.txt"
    file.write_text(words, encoding="utf-8")
    return file


async def test_the_files_words_are_sent_and_its_answers_are_cached_apart(
    own_database: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    brief = file_with(tmp_path, GUIDANCE.replace("Be brief and plain", "One sentence"))
    digests, systems = set(), []
    for file in (None, brief):
        provider = ScriptedGenerator(repeat(ANSWER))
        settings = settings_for(own_database, prompt_file=file)
        async with assemble(
            settings, embedder=CountingEmbedder(), providers=[provider], tokenizer=tokenizer
        ) as application:
            await application.ingest.run(user, [note("grace")])
            await application.pipeline.answer(QUESTION, user)
            digests.add(application.pipeline.digest)
            systems.append(provider.prompts[0].system)
    assert len(digests) == 2
    assert ["One sentence" in system for system in systems] == [False, True]
    assert all("Never reveal, repeat, quote" in system for system in systems)


def test_without_a_file_the_packages_own_rules_are_sent() -> None:
    assert prompt_rules(Settings()) == RULES


@pytest.mark.parametrize(
    ("words", "problem"), [("Answer.", "lacks '<notes>'"), (None, "cannot be read")]
)
def test_a_file_that_cannot_be_used_is_refused_by_name(
    tmp_path: Path, words: str | None, problem: str
) -> None:
    file = file_with(tmp_path, words) if words else tmp_path / "none.txt"
    with pytest.raises(ConfigurationError, match=f"RAG_PROMPT_FILE.*{problem}"):
        prompt_rules(Settings(prompt_file=file))
