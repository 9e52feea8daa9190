"""How every command of the project is run: plain help, and a mistake is one line with its fix."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from functools import wraps
from typing import Any

import typer

from rag_core.errors import RagError

Command = Callable[..., Coroutine[Any, Any, int | None]]

INTERRUPTED = 130
"""Exit code after Ctrl-C, as a shell has it."""


class CommandLine(typer.Typer):
    """The commands of one `python -m …`."""

    def __init__(self, program: str) -> None:
        super().__init__(
            add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False
        )
        self._program = program

    def add(self, command: Command, name: str | None = None) -> None:
        """Make a coroutine function a command, of its own name or of `name`, its docstring the
        help."""

        @wraps(command)
        def run(*given: Any, **named: Any) -> int | None:
            return asyncio.run(command(*given, **named))

        self.command(name)(run)

    def add_group(self, name: str, about: str, commands: Mapping[str, Command]) -> None:
        """Make coroutine functions commands under `name`, which `about` is the help of."""
        group = CommandLine(f"{self._program} {name}")
        for each, command in commands.items():
            group.add(command, each)
        self.add_typer(group, name=name, help=about)

    def run(self, arguments: list[str] | None = None) -> int:
        """Run one command; returns the exit code, 0 where the command returns none."""
        try:
            code = self(arguments, prog_name=self._program, standalone_mode=False) or 0
        except typer.TyperException as error:
            print(f"error: {self._explained(error)}", file=sys.stderr)
            return error.exit_code
        except RagError as error:
            print(f"error: {error}", file=sys.stderr)
            return error.exit_code
        if code == INTERRUPTED:
            print("interrupted", file=sys.stderr)
        return int(code)

    def _explained(self, error: typer.TyperException) -> str:
        """What is wrong with the arguments, and whose help says how they must be."""
        problem = error.format_message().replace("Value error, ", "").rstrip(".")
        context = getattr(error, "ctx", None)
        return f"{problem}. See {context.command_path if context else self._program} --help"
