"""The model's 32,768 tokens, and text to tokens and back.

``tokenizer.bin`` is a list of tokens without their scores: a length byte (from 128 on, two bytes: ``low + 128``, ``high``), then
the token's bytes in UTF-8; a zero is a token without text. U+2581 stands for the space before a word. It is the vocabulary of
Llama (SentencePiece, byte-pair encoding), whose ids are in the order of the merges, so the lower id is the earlier merge.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from engine.core.errors import ModelNotFound

BEGIN = 1  # <s>
END = 2  # </s>, the end of the text
SPACE = "\u2581"  # stands before each word
_BYTES = range(3, 259)  # tokens that are one raw byte each, for what has no token of its own


class Vocabulary:
    """Tokens by id, and ids by token."""

    def __init__(self, tokens: Sequence[bytes]) -> None:
        self.tokens = tuple(tokens)
        self._ids = {token.decode(errors="replace"): id for id, token in enumerate(tokens) if id not in _BYTES}

    def __len__(self) -> int:
        return len(self.tokens)

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Read ``tokenizer.bin``.

        Raises:
            ModelNotFound: the file ends inside a token.
        """
        return cls(_tokens(path.read_bytes(), path))

    def text(self, ids: Sequence[int]) -> str:
        """The text of tokens, as it is written: a token may be a part of a letter."""
        return b"".join(self.tokens[id] for id in ids if id > END).decode(errors="replace").replace(SPACE, " ")

    def opens_word(self, id: int) -> bool:
        """Whether this token starts a new word."""
        return self.tokens[id].startswith(SPACE.encode())

    def ids(self, text: str) -> tuple[int, ...]:
        """The model's own spelling of ``text``, with a space before its first word.

        Raises:
            ValueError: a letter of it is in no token.
        """
        pieces = [SPACE if letter == " " else letter for letter in f" {text.strip()}"]
        while (best := self._earliest_merge(pieces)) is not None:
            pieces[best : best + 2] = [pieces[best] + pieces[best + 1]]
        unknown = [piece for piece in pieces if piece not in self._ids]
        if unknown:
            raise ValueError(f"expected letters that the model can write, found {unknown[0]!r} in {text!r}")
        return tuple(self._ids[piece] for piece in pieces)

    def can_write(self, text: str) -> bool:
        """Whether every letter of ``text`` has a token."""
        return all(letter in self._ids for letter in text.replace(" ", SPACE))

    def _earliest_merge(self, pieces: Sequence[str]) -> int | None:
        found = [(self._ids[a + b], place) for place, (a, b) in enumerate(pairwise(pieces)) if a + b in self._ids]
        return min(found)[1] if found else None


def _tokens(packed: bytes, path: Path) -> list[bytes]:
    tokens: list[bytes] = []
    at = 0
    while at < len(packed):
        length, at = packed[at], at + 1
        if length >= 128:  # two bytes, the low one first
            length, at = length - 128 + 128 * packed[at], at + 1
        tokens.append(packed[at : at + length])
        at += length
    if at != len(packed):
        raise ModelNotFound(f"expected whole tokens in {path}, found {at - len(packed)} bytes too few")
    return tokens
