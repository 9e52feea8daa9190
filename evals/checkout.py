"""Where the project lies, so that commands and notebooks find its data from any folder."""

from __future__ import annotations

from pathlib import Path

from rag_core.settings import Settings, load_settings

ROOT = Path(__file__).resolve().parents[1]
GOLDEN = ROOT / "golden"
NOTEBOOKS = ROOT / "notebooks"
REPORTS = ROOT / "reports"


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
