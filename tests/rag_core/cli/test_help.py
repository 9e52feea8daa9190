"""`--help`: commands, settings, exit codes and examples."""

from __future__ import annotations

import pytest

from rag_core.__main__ import main
from tests.rag_core.cli.commands import in_a_shell


def test_help_explains_commands_settings_and_exit_codes() -> None:
    ran = in_a_shell("--help")
    assert ran.exit_code == 0
    for part in (
        "doctor",
        "migrate",
        "ingest",
        "ask",
        "delete",
        "examples:",
        "RAG_",
        "exit codes:",
    ):
        assert part in ran.out


@pytest.mark.parametrize(
    "command", ["doctor", "migrate", "ingest", "ask", "delete", "purge", "index", "bundle"]
)
def test_the_help_of_a_command_says_what_it_needs_and_shows_how_to_call_it(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    said, examples = capsys.readouterr().out.split("examples:")
    assert len(said.splitlines()) > 4
    assert command in examples
