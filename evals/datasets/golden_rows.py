"""Rows of the golden files: JSON objects, one a line, read field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag_core.errors import InvalidInput


@dataclass(frozen=True)
class Row:
    """One JSON object of a JSONL file, read by field.

    Every reader raises `InvalidInput` naming file, line and field.
    """

    place: str
    fields: Mapping[str, Any]

    def fail(self, field: str, problem: str) -> InvalidInput:
        return InvalidInput(f"{self.place}: {field}", problem)

    def _value(self, field: str) -> Any:
        if field not in self.fields:
            raise self.fail(field, "is missing")
        return self.fields[field]

    def text(self, field: str, *, empty: bool = False) -> str:
        value = self._value(field)
        if not isinstance(value, str):
            raise self.fail(field, f"must be a string, got {value!r}")
        if not value and not empty:
            raise self.fail(field, "must not be empty")
        return value

    def count(self, field: str) -> int:
        value = self._value(field)
        if type(value) is not int or value < 0:
            raise self.fail(field, f"must be a whole number of at least 0, got {value!r}")
        return value

    def texts(self, field: str) -> tuple[str, ...]:
        value = self._value(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.fail(field, f"must be a list of strings, got {value!r}")
        return tuple(value)

    def rows(self, field: str) -> tuple[Row, ...]:
        value = self._value(field)
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise self.fail(field, f"must be a list of objects, got {value!r}")
        return tuple(Row(f"{self.place}: {field}[{n}]", item) for n, item in enumerate(value))

    def verses(self, field: str) -> tuple[tuple[str, int, int, int], ...]:
        """Ranges as [[book, chapter, first verse, last verse], …], at least one."""
        value = self._value(field)
        if not isinstance(value, list) or not value or not all(map(_is_range, value)):
            raise self.fail(field, f"must be [[book, chapter, from, to], …], got {value!r}")
        return tuple((book, chapter, first, last) for book, chapter, first, last in value)


def _is_range(value: object) -> bool:
    return isinstance(value, list) and list(map(type, value)) == [str, int, int, int]


def read_rows(path: Path) -> Iterator[Row]:
    """The objects of a JSONL file in order; raises `InvalidInput` naming file and line."""
    if not path.is_file():
        raise InvalidInput(str(path), "no such file", "Check the folder that was given")
    lines = path.read_bytes().decode("utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        place = f"{path} line {number}"
        try:
            value = json.loads(line)
        except json.JSONDecodeError as error:
            raise InvalidInput(place, f"is not JSON: {error.msg}") from error
        if not isinstance(value, dict):
            raise InvalidInput(place, "must be a JSON object")
        yield Row(place, value)
