"""Writes the tables of docs/configure.md from the settings themselves.

    python .ci/settings_table.py [--check]

The sections are the comments above groups of fields in rag_core/settings*.py, the words in a table
each field's description, or the docstring below it. --check writes nothing; exit code 1: the page
is not what it would be.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from rag_core.settings import PREFIX, Settings
from rag_core.settings_providers import ProviderSettings

PAGE = Path(__file__).resolve().parent.parent / "docs" / "configure.md"
BEGIN, END = "<!-- made by .ci/settings_table.py -->\n", "<!-- to here -->\n"
HEAD = "| variable | default | values | what it is |\n|---|---|---|---|\n"
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}


def page(text: str) -> str:
    """The page with its tables made anew."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + "".join(sections()) + END + rest.partition(END)[2]


def sections() -> Iterator[str]:
    """A heading, what the group is about, and its table."""
    described: set[str] = set()
    for kind in Settings.__mro__:
        for comment, names in groups(kind):
            yield section(comment, [name for name in names if name not in described])
            described |= set(names)
    missing = Settings.model_fields.keys() - described
    assert not missing, f"in no group: {missing}"
    of_a_provider = ProviderSettings.model_fields.items()
    own = {f"{PREFIX}PROVIDER_<NAME>_{name.upper()}": field for name, field in of_a_provider}
    about = "For every name in `RAG_PROVIDERS` but `huggingface`."
    yield f"### Other providers\n\n{about}\n\n{table(own)}\n"


def section(comment: str, names: Iterable[str]) -> str:
    """One group of settings."""
    title, rest = re.fullmatch(r"([^.;:,]+)(.*)", comment, re.DOTALL).groups()  # type: ignore[union-attr]
    about = f"{comment}\n\n" if rest.strip(". ") else ""
    fields = {PREFIX + n.upper(): Settings.model_fields[n] for n in names if n != "provider"}
    return f"### {title}\n\n{about}{table(fields)}\n"


def groups(kind: type) -> Iterator[tuple[str, list[str]]]:
    """The comment above each group of a class's own fields, and their names."""
    if not issubclass(kind, BaseSettings) or kind is BaseSettings:
        return
    for paragraph in re.split(r"\n\s*\n", inspect.getsource(kind)):
        comment = " ".join(re.findall(r"^    # (.*)$", paragraph, re.MULTILINE))
        names = [n for n in re.findall(r"^    (\w+):", paragraph, re.M) if n in kind.model_fields]
        for name, said in re.findall(r'^    (\w+): .*\n    """(.*)\."""$', paragraph, re.MULTILINE):
            Settings.model_fields[name].description = said[0].lower() + said[1:]
        if names:
            assert comment, f"{kind.__name__}: no comment above {names[0]}"
            yield comment, names


def table(fields: dict[str, FieldInfo]) -> str:
    """A row for each field."""
    for name, each in fields.items():
        assert each.description, f"{name} has no description"
    rows = (
        f"| `{name}` | {default(each)} | {values(each)} | {each.description} |\n"
        for name, each in fields.items()
    )
    return HEAD + "".join(rows)


def default(field: FieldInfo) -> str:
    """A default as one would write it into a file."""
    value = field.get_default()
    if value is None or value == {} or value == ():
        return "–"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, tuple):
        value = ",".join(value)
    if isinstance(value, float):
        value = plain(value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def plain(number: float) -> str:
    """A number without an exponent."""
    return f"{Decimal(repr(number)).normalize():f}"


def values(field: FieldInfo) -> str:
    """What may stand there: names, bounds, or what kind of thing."""
    kind: Any = field.annotation
    if get_origin(kind) is Literal:
        return ", ".join(f"`{each}`" for each in get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return ", ".join(f"`{each.value}`" for each in kind)
    if "SecretStr" in str(kind):
        return "secret"
    if kind is bool:
        return "`true`, `false`"
    bounds = [
        f"{sign} {plain(getattr(each, word))}"
        for each in field.metadata
        for word, sign in BOUNDS.items()
        if getattr(each, word, None) is not None
    ]
    kinds = {"Path": "path", "tuple": "list", "dict": "JSON"}
    return ", ".join(bounds) or kinds.get(named(kind), "text")


def named(kind: Any) -> str:
    """The name of a type, None set aside."""
    kinds = [each for each in get_args(kind) if each is not type(None)]
    chosen = kinds[0] if kinds and get_origin(kind) not in (tuple, dict) else kind
    return str(getattr(get_origin(chosen) or chosen, "__name__", ""))


def main() -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if it differs")
    options = parser.parse_args()
    text = PAGE.read_text(encoding="utf-8")
    made = page(text)
    if options.check and made != text:
        fix = "Run: make configure"
        print(f"error: docs/configure.md is not of these settings. {fix}", file=sys.stderr)
        return 1
    if not options.check:
        PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
