"""`python -m loadtests`: see its `--help`."""

from __future__ import annotations

import sys

from loadtests.command import main

if __name__ == "__main__":
    sys.exit(main())
