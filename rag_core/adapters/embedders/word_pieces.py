"""What a model reads: the word pieces of its own tokenizer, made and counted."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tokenizers import Tokenizer

from rag_core.adapters.embedders.model_files import MAX_WORD_PIECES, SETTING, TOKENIZER
from rag_core.errors import ConfigurationError

_REMEMBERED_WORDS = 65_536
_REMEMBERED_CHARACTERS = 40


def word_piece_tokenizer(folder: Path) -> Tokenizer:
    """The folder's tokenizer, cutting at 256 word pieces whatever its file says, never padding.

    Raises:
        ConfigurationError: the file holds no tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_buffer((folder / TOKENIZER).read_bytes())
    except ValueError as error:
        raise ConfigurationError(SETTING, f"{folder / TOKENIZER} is not a tokenizer") from error
    tokenizer.enable_truncation(MAX_WORD_PIECES)
    tokenizer.no_padding()
    return tokenizer


class WordPieces:
    """Counts word by word and remembers the words, as notes use the same ones again and again.

    A blank always parts two word pieces, so the counts add up.
    """

    def __init__(self, tokenizer_file: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer_file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._remembered = lru_cache(_REMEMBERED_WORDS)(self._count_word)

    @property
    def max(self) -> int:
        """Word pieces that fit beside the special tokens."""
        return MAX_WORD_PIECES - self._tokenizer.num_special_tokens_to_add(False)

    def count(self, text: str) -> int:
        """Number of word pieces in `text`, special tokens not counted."""
        words = text.split(" ")
        usual = max(map(len, words)) <= _REMEMBERED_CHARACTERS
        return sum(map(self._remembered if usual else self._count_word, words))

    def _count_word(self, word: str) -> int:
        return len(self._tokenizer.encode(word, add_special_tokens=False))
