"""How alike two sentences are, and what follows from it for a new one.

Likeness is a kernel: a Gaussian of the distance between sentence vectors (once for the text as it stands, once for its
bare words, so that neither a recogniser's punctuation nor the lack of it decides), plus the cosine of character n-grams
and of words, which know what vectors blur (names of things, misheard endings).

The learner is kernel ridge regression, one score per intent: 1 is "just like its examples", 0 "like nothing known". It
is chosen over logistic regression because what an unknown sentence would have got *had it not been an example* is known
in closed form (leave-one-out; Rifkin & Lippert, "Notes on regularized least squares", MIT 2007), so calibration needs
neither folds nor a held-out part, and a flow with three examples per intent can be calibrated too. Cubic in the number
of examples: 1,000 take a tenth of a second, 5,000 some seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from engine.nlu.encoder import Encoder, Matrix
from engine.nlu.wording import bare, tokens

Scores = npt.NDArray[np.float64]

_CHARACTERS = 0.5  # weight of character n-grams beside the two Gaussians' 1.0 each
_WORDS = 0.3  # weight of words and word pairs
_SELF = 2.0 + _CHARACTERS + _WORDS  # a sentence's likeness to itself
_RIDGE = 0.1  # doubt about each example's label


@dataclass(frozen=True, slots=True)
class Traits:
    """What is compared of sentences, one row each."""

    as_heard: Matrix
    bare: Matrix
    characters: csr_matrix
    words: csr_matrix


class Likeness:
    """Compares new sentences with known ones."""

    def __init__(self, known: Sequence[str], encoder: Encoder) -> None:
        self._encoder = encoder
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
        self._words = TfidfVectorizer(analyzer=_words_and_pairs, sublinear_tf=True)
        bared = [bare(text) for text in known]
        self._characters.fit([*bared, "a b"])  # two letters, so that there is always a vocabulary
        self._words.fit([*bared, "a b"])
        self._known = self._traits(known)

    def to_known(self, texts: Sequence[str]) -> Scores:
        """Likeness of each text to each known one, 0 to 1, shape ``(len(texts), known)``."""
        return _kernel(self._traits(texts), self._known)

    def among_known(self) -> Scores:
        """Likeness of the known ones to each other, shape ``(known, known)``."""
        return _kernel(self._known, self._known)

    def _traits(self, texts: Sequence[str]) -> Traits:
        bared = [bare(text) for text in texts]
        vectors = self._encoder.encode([*texts, *bared])
        return Traits(
            vectors[: len(texts)],
            vectors[len(texts) :],
            self._characters.transform(bared),
            self._words.transform(bared),
        )


def _words_and_pairs(text: str) -> list[str]:
    words = [token.text for token in tokens(text)]
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def _kernel(one: Traits, other: Traits) -> Scores:
    dense = _gaussian(one.as_heard, other.as_heard) + _gaussian(one.bare, other.bare)
    characters = _cosine(one.characters, other.characters)
    words = _cosine(one.words, other.words)
    return np.asarray(dense + _CHARACTERS * characters + _WORDS * words, dtype=np.float64) / _SELF


def _cosine(one: csr_matrix, other: csr_matrix) -> Scores:
    """Of rows of unit length. A single row is unfolded first, which is three times as fast; many would take gigabytes."""
    if one.shape[0] == 1:
        return np.asarray(other @ one.toarray().T, dtype=np.float64).T
    return np.asarray((one @ other.T).toarray(), dtype=np.float64)


def _gaussian(one: Matrix, other: Matrix) -> Scores:
    """``exp(-distance²)`` of unit vectors."""
    return np.exp(2.0 * (one @ other.T).astype(np.float64) - 2.0)


@dataclass(frozen=True, slots=True)
class Ridge:
    """One-versus-rest kernel ridge regression."""

    weights: Scores
    """Shape ``(known, classes)``."""

    left_out: Scores
    """The scores each known sentence gets when it is not among the examples, shape ``(known, classes)``."""

    def scores(self, likeness: Scores) -> Scores:
        """Score sentences by their likeness to the known ones, shape ``(n, classes)``."""
        return likeness @ self.weights


def fit(likeness: Scores, membership: Scores) -> Ridge:
    """Learn which class each known sentence is of.

    ``likeness``: among the known, ``(known, known)``; ``membership``: one-hot, ``(known, classes)``.
    """
    known = len(likeness)
    factor = cho_factor(likeness + _RIDGE / _SELF * np.eye(known), lower=True)
    inverse = cho_solve(factor, np.eye(known))
    weights = inverse @ membership
    return Ridge(weights, membership - weights / np.diag(inverse)[:, None])
