"""Does a phrase sound finished? Learned from a flow's example sentences and names, and from the sentences' own beginnings.

Who pauses in the middle of a sentence leaves one of its beginnings behind, and the words tell: hardly a sentence ends with "my",
many begin with "I need to". Rules:

* a beginning is the first quarter of a sentence's words to its first three quarters; all of a sentence's beginnings together
  weigh as much as the sentence; what has one or two words has none, or "lost card" would sound unfinished;
* what counts are the last word and its ending, the last two together, the one before the last, the first, and how many there are;
* words the sentences don't know count against it; of a phrase that has mostly such words, nothing can be told, nor by few
  sentences.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

from engine.core.units import Confidence, confidence
from engine.nlu.wording import tokens

_FEWEST_SENTENCES = 50  # with beginnings
_FEWEST_WORDS = 3  # of what has a beginning worth learning
_BEGINNINGS = (0.25, 0.75)  # share of a sentence's words
_LONG = 8  # words; more tell no more
_ENDING = 3  # letters
_KNOWN = 0.5  # share of a phrase's words that must be known
_EITHER = "either"  # the feature every phrase has


class PhraseEnds:
    """Knows how sentences end. Immutable; made by :meth:`train`; can be pickled."""

    def __init__(self, weights: Mapping[str, float], vocabulary: frozenset[str]) -> None:
        self._weights = dict(weights)
        self._vocabulary = vocabulary

    @classmethod
    def train(cls, sentences: Iterable[str]) -> PhraseEnds:
        """Learn from sentences; with too few of them, it can tell nothing of any phrase."""
        spoken = [words for words in map(_words, dict.fromkeys(sentences)) if words]
        if sum(len(words) >= _FEWEST_WORDS for words in spoken) < _FEWEST_SENTENCES:
            return cls({}, frozenset())
        rows = [row for words in spoken for row in _lessons(words)]
        vectorizer = DictVectorizer()
        counts = vectorizer.fit_transform([dict.fromkeys(_features(words), 1.0) for words, _, _ in rows])
        model = LogisticRegression(max_iter=300, fit_intercept=False)
        model.fit(counts, [whole for _, whole, _ in rows], [weight for _, _, weight in rows])
        weights = dict(zip(vectorizer.get_feature_names_out(), model.coef_[0].tolist(), strict=True))
        return cls(weights, frozenset(word for words in spoken for word in words))

    def finished(self, text: str) -> Confidence | None:
        """Probability that the phrase was said to its end, where either is as likely beforehand; ``None``: it can't tell."""
        words = _words(text)
        known = sum(word in self._vocabulary for word in words) / max(1, len(words))
        if known < _KNOWN:
            return None
        weight = sum(self._weights.get(feature, 0.0) for feature in _features(words))
        return confidence(known / (1 + math.exp(-weight)))


def _words(text: str) -> tuple[str, ...]:
    return tuple(token.text for token in tokens(text))


def _lessons(words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool, float]]:
    """A sentence and its beginnings: words, whether they are all, weight."""
    yield words, True, 1.0
    if len(words) < _FEWEST_WORDS:
        return
    fewest, most = (math.floor(share * len(words)) for share in _BEGINNINGS)
    lengths = range(max(1, fewest), max(1, most) + 1)
    for length in lengths:
        yield words[:length], False, 1.0 / len(lengths)


def _features(words: Sequence[str]) -> Iterator[str]:
    last = words[-1]
    yield _EITHER
    yield f"last {last}"
    yield f"ending {last[-_ENDING:]}"
    yield f"first {words[0]}"
    yield f"long {min(len(words), _LONG)}"
    if len(words) > 1:
        yield f"before {words[-2]}"
        yield f"pair {words[-2]} {last}"
