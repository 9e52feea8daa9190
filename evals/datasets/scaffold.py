"""A new golden folder: an example of everything, with the format explained."""

from __future__ import annotations

import shutil
from pathlib import Path

from rag_core.errors import InvalidInput

EXAMPLE = Path(__file__).parent / "example"


def scaffold(folder: Path) -> list[Path]:
    """Copy the example to `folder`; returns the files that were written.

    Raises:
        InvalidInput: there is something already, or the folder cannot be made.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInput(str(folder), "is there already", "Name a folder that is not")
    try:
        shutil.copytree(EXAMPLE, folder, copy_function=shutil.copyfile, dirs_exist_ok=True)
    except OSError as error:
        raise InvalidInput(str(folder), f"cannot be made: {error.strerror}") from error
    return sorted(path for path in folder.rglob("*") if path.is_file())
