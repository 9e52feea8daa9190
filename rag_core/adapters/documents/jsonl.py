"""Rows of JSON-lines files, typed, every mistake named by file, line and field."""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from rag_core.domain.notes import MAX_BODY_CHARACTERS
from rag_core.errors import InvalidInput

MAX_LINE_BYTES = 16 * MAX_BODY_CHARACTERS
"""A character takes twelve bytes at most, escaped as a surrogate pair; the rest is for the other
fields."""

Row = TypeVar("Row", bound=msgspec.Struct)

_SHOWN_CHARACTERS = 200
_PLACE = re.compile(r" - at `\$\.?(.*)`$", re.DOTALL)
_LACKING = re.compile(r"^Object (?:missing required|contains unknown) field `(\w+)`")


class RowReader(Generic[Row]):
    """Reads rows of one type; whatever is no such row is an `InvalidInput` that names its place."""

    def __init__(
        self, row_type: type[Row], *, fix: str = "", fixes: Mapping[str, str] | None = None
    ) -> None:
        """A reader of `row_type`.

        Args:
            fix: what to do about a bad row.
            fixes: what to do about a bad field, by its name, where that says more.
        """
        self._row_type, self._fix, self._fixes = row_type, fix, fixes or {}
        self._decoder = msgspec.json.Decoder(row_type)
        names = {field.name: field.encode_name for field in msgspec.structs.fields(row_type)}
        self._id = names.get("id")

    def read(self, path: Path) -> Iterator[tuple[str, Row]]:
        """The rows of a file in its order, each with its place: file and line.

        Empty lines, Windows line ends and a byte order mark do no harm. Where rows have an `id`,
        each must have its own.

        Raises:
            InvalidInput: the file cannot be read, or a line is no such row.
        """
        for where, row in self.attempts(path):
            if isinstance(row, InvalidInput):
                raise row
            yield where, row

    def attempts(self, path: Path) -> Iterator[tuple[str, Row | InvalidInput]]:
        """What `read` gives, with the error in the place of each row that cannot be read."""
        seen: set[object] = set()
        try:
            for number, line in _lines(path):
                where = f"{path} line {number}"
                yield where, self._attempt(line, where, seen)
        except InvalidInput as error:  # of the file itself
            yield str(path), error

    def convert(self, record: Mapping[str, object], where: str) -> Row:
        """One row from values that another format has read.

        Raises:
            InvalidInput: names `where` and the field.
        """
        try:
            return msgspec.convert(record, self._row_type)
        except msgspec.ValidationError as error:
            raise self._invalid(str(error), where) from error

    def _attempt(self, line: bytes, where: str, seen: set[object]) -> Row | InvalidInput:
        try:
            row = self._decode(line, where)
        except InvalidInput as error:
            return error
        identity = getattr(row, "id", None) if self._id else None
        if identity in seen:
            problem = f"{identity!r} stands on an earlier line too"
            return InvalidInput(f"{where}, field {self._id}", problem, "Use each id once")
        if self._id:
            seen.add(identity)
        return row

    def _decode(self, line: bytes, where: str) -> Row:
        if len(line) > MAX_LINE_BYTES:
            problem = f"is longer than {MAX_LINE_BYTES:,} bytes"
            raise InvalidInput(where, problem, "Write one row a line")
        try:
            return self._decoder.decode(line)
        except msgspec.ValidationError as error:
            raise self._invalid(str(error), where) from error
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            problem = f"is not valid JSON: {_shown(str(error))}"
            raise InvalidInput(where, problem, self._fix) from error

    def _invalid(self, message: str, where: str) -> InvalidInput:
        """msgspec's message with the field in front."""
        parts = [match[1] for match in (_PLACE.search(message), _LACKING.search(message)) if match]
        field = ".".join(part for part in parts if part)
        problem = _shown(_PLACE.sub("", message))
        fix = self._fixes.get(re.split(r"[.\[]", field)[0], self._fix)
        return InvalidInput(f"{where}, field {_shown(field)}" if field else where, problem, fix)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, numbered from 1; none is read much beyond what is allowed."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE_BYTES + 3), b""), 1):
                content = line.removeprefix(BOM_UTF8) if number == 1 else line
                if content.strip():
                    yield number, content.rstrip(b"\r\n")
    except OSError as error:
        raise InvalidInput(str(path), f"cannot be read: {error.strerror}") from error


def _shown(text: str) -> str:
    """On one line, and not all of what is endless."""
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else line[:_SHOWN_CHARACTERS] + "…"
