"""The process that reads files which strangers made: bounded by the kernel in time and memory.

It takes files on its standard input and gives notes on its standard output, each a frame of four
bytes of length and MessagePack. A file that it cannot read kills it, at worst; it writes nothing.
"""

from __future__ import annotations

import hashlib
import logging
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from typing import BinaryIO

import msgspec

from rag_core.adapters.documents.document_type import document_type
from rag_core.adapters.documents.docx import parse_docx
from rag_core.adapters.documents.front_matter import parse_text
from rag_core.adapters.documents.html import parse_html
from rag_core.adapters.documents.metadata import note_of
from rag_core.adapters.documents.parsed import Parsed
from rag_core.adapters.documents.pdf import parse_pdf
from rag_core.domain.documents import Document, DocumentType
from rag_core.errors import ConfigurationError, InvalidInput

_PARSERS: Mapping[DocumentType, Callable[[bytes], Parsed]] = {
    DocumentType.TEXT: parse_text,
    DocumentType.HTML: parse_html,
    DocumentType.DOCX: parse_docx,
    DocumentType.PDF: parse_pdf,
}
LENGTH_BYTES = 4


class Task(msgspec.Struct, frozen=True):
    """A file to be read, and the id of its note if it names none."""

    note_id: str
    content: bytes


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Why a file cannot be read, and what to do; `setting` where the installation is to blame."""

    field: str
    problem: str
    fix: str
    setting: bool = False


class Read(msgspec.Struct, frozen=True, tag="read"):
    """What was read of a file."""

    document: Document


def convert(task: Task) -> Document:
    """The file as a note.

    Raises:
        InvalidInput: it cannot be read.
        ConfigurationError: what reads its type is not installed.
    """
    kind = document_type(task.content)
    parsed = _PARSERS[kind](task.content)
    note, sources = note_of(parsed, task.note_id)
    if not note.body:
        raise InvalidInput("file", "holds no text", "A note needs some")
    return Document(
        note=note,
        type=kind,
        size_bytes=len(task.content),
        sha256=hashlib.sha256(task.content).hexdigest(),
        pages=parsed.pages,
        sources=sources,
    )


def serve(source: BinaryIO, sink: BinaryIO, timeout_s: int) -> None:
    """Read files until there are none; one that takes longer than `timeout_s` ends the process."""
    decoder = msgspec.msgpack.Decoder(Task)
    while head := source.read(LENGTH_BYTES):
        task = decoder.decode(source.read(int.from_bytes(head, "big")))
        signal.alarm(timeout_s)
        answer = msgspec.msgpack.encode(_answer(task))
        signal.alarm(0)
        sink.write(len(answer).to_bytes(LENGTH_BYTES, "big") + answer)
        sink.flush()


def _answer(task: Task) -> Read | Refused:
    try:
        return Read(convert(task))
    except InvalidInput as error:
        return Refused(error.field, error.problem, error.fix)
    except ConfigurationError as error:
        return Refused(error.setting, error.problem, error.fix, setting=True)


def main() -> None:
    """Serve on the standard streams, in bounds that nobody here can widen again.

    The arguments are the seconds for a file, and the bytes of address space for all.
    """
    timeout_s, memory_bytes = map(int, sys.argv[1:])
    logging.disable()  # nobody reads on: what parsers complain of would fill the pipe and block
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))  # not a byte into any file
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    serve(sys.stdin.buffer, sys.stdout.buffer, timeout_s)
