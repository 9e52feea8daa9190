"""Where the project lies, so that commands and notebooks find its data from any folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import rag_core
from rag_core.errors import ConfigurationError
from rag_core.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "golden"
NOTEBOOKS = ROOT / "notebooks"
REPORTS = ROOT / "reports"
CANARY = "c0ffee5eedfacade"
"""The marker in the prompts of what is measured: the same in each run, and so are its tokens."""


def require_checkout() -> None:
    """Refuse to measure anything but the code and the data of one checkout.

    Raises:
        ConfigurationError: the data are not here, or rag_core comes from elsewhere.
    """
    if not (GOLDEN.is_dir() and NOTEBOOKS.is_dir()):
        raise ConfigurationError(
            "evals",
            f"{ROOT} is no checkout of the project: golden/ and notebooks/ are not there",
            "Clone the repository, and run make eval in it",
        )
    if found := foreign([rag_core.__file__]):
        raise ConfigurationError(
            "evals",
            f"would measure {found}, but what lies here is {ROOT}",
            f"Run make install there, or set PYTHONPATH={ROOT}",
        )


def foreign(modules: Iterable[str]) -> str:
    """Those of the modules' files that do not lie in this checkout; empty if all do."""
    files = (Path(module).resolve() for module in modules)
    return ", ".join(str(file.parent) for file in files if not file.is_relative_to(ROOT))


def project_settings() -> Settings:
    """The settings of the environment; a relative home lies in the project, not where we stand.

    Raises:
        ConfigurationError: names the variable that cannot be used.
    """
    settings = load_settings()
    return settings.model_copy(update={"home": ROOT / settings.home})


def project_path(path: str | Path) -> Path:
    """`path` itself if absolute, else within the project: a notebook may stand in any folder."""
    return ROOT / path
