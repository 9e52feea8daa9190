"""Progress bars: on a terminal only, and only for work that takes a while."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(total: int, label: str, unit: str) -> tqdm[Any]:
    """A bar on stderr; silent where that is a file, a pipe or a notebook."""
    return tqdm(total=total, desc=label, unit=unit, file=sys.stderr, disable=None, delay=0.3)
