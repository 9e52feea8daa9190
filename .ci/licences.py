"""A table of what is in the image and under which licence, from its SBOM.

    python .ci/licences.py SBOM.json OUT.md

Exit code 1: a package has no licence, or one that is neither permissive nor looked at below.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

PERMISSIVE = {
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC", "MIT", "MIT-0"),
    *("PSF-2.0", "Python-2.0", "Unlicense", "Zlib", "MIT-CMU", "BSL-1.0"),
}
LOOKED_AT = {
    "LGPL-3.0-only": "used as a library, unmodified, and replaceable: pip install",
    "MPL-2.0": "its own files are unmodified",
}
"""Licences that ask for more than a notice, and why that is kept."""

SPOKEN = {
    "Apache Software License": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v3 (LGPLv3)": "LGPL-3.0-only",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""What older packages say instead of an SPDX identifier."""

SAID_ELSEWHERE = {"protobuf": "BSD-3-Clause"}
"""Packages whose SBOM entry has no licence, and what their metadata says in words of its own."""

BESIDE = """
Beside the packages the image holds `model.onnx` and `model.weights`, which are all-MiniLM-L6-v2
(Apache-2.0), and `tokenizer.json` of Llama 3.2, under the Llama 3.2 Community License: read
it before you deploy. What Debian has in the base image has its licences in /usr/share/doc.
"""


def licences(component: dict[str, Any]) -> set[str]:
    """SPDX identifiers that a component names; all of a disjunction."""
    found: set[str] = set()
    for each in component.get("licenses", ()):
        said = (
            each.get("expression") or each["license"].get("id") or each["license"].get("name", "")
        )
        said = said.removeprefix("License :: OSI Approved :: ")
        names = [SPOKEN[said]] if said in SPOKEN else re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", said)
        found |= {name.strip() for name in names if name.strip()}
    elsewhere = SAID_ELSEWHERE.get(component["name"])
    return found or ({elsewhere} if elsewhere else set())


def row(component: dict[str, Any]) -> tuple[str, bool]:
    """A line of the table, and whether it is as it should be."""
    named = licences(component)
    strange = named - PERMISSIVE - LOOKED_AT.keys()
    notes = [LOOKED_AT[name] for name in sorted(named & LOOKED_AT.keys())]
    notes += [f"**look at {', '.join(sorted(strange))}**"] if strange else []
    notes += [] if named else ["**none is named**"]
    text = f"| {component['name']} | {component['version']} | {', '.join(sorted(named))} | "
    return f"{text}{'; '.join(notes)} |", bool(named) and not strange


def main() -> int:
    """Write the table; name what must be looked at."""
    if len(sys.argv) != 3:
        print(__doc__)
        return 2
    components = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["components"]
    rows = [row(each) for each in sorted(components, key=lambda c: str(c["name"]).lower())]
    head = "| package | version | licence | |\n|---|---|---|---|\n"
    table = head + "".join(f"{text}\n" for text, _ in rows)
    page = f"# Licences of what the image installs\n\n{table}{BESIDE}"
    Path(sys.argv[2]).write_text(page, encoding="utf-8")
    strange = [text for text, fine in rows if not fine]
    print(f"{len(rows)} packages, {len(strange)} to look at", *strange, sep="\n")
    return 1 if strange or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
