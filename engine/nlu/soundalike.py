"""Words that sound like a word of the flow: a bank's caller who seems to say "my car is stolen" means the card.

A recogniser knows all of a language and nothing of the flow. So a strange word that sounds like one the flow's own sentences use
again and again is also read as that word. Only a proposal: :mod:`engine.nlu.readings` weighs it. English spelling only; words in
other letters are left alone. Rules:

* two words sound alike when their skeletons are equal: consonants only, voiced and voiceless as one, ``m`` as ``n``; or when the
  known one only adds a final stop, which telephones swallow ("car", "card");
* they must be near in letters, too, and begin alike, so that "best" is not read as "post";
* the known word must be far more usual in the flow than the strange one;
* letters that stand alone are put together ("A T M" is "atm").
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence

from engine.nlu.wording import Token, tokens

_USUAL = 3  # times in the flow's sentences; a rarer word is not proposed
_MORE_USUAL = 5  # times as usual as the strange word
_SHORTEST = 3  # letters
_LONG = 5  # letters, from which on two may differ
_SPELLED = (  # in this order
    *(("ph", "f"), ("ck", "k"), ("ch", "C"), ("sh", "S"), ("th", "0"), ("gh", ""), ("wh", "w"), ("kn", "n"), ("wr", "r")),
    *(("qu", "kw"), ("x", "ks"), ("dge", "C"), ("ce", "se"), ("ci", "si"), ("cy", "sy")),
)
_VOICELESS = str.maketrans("bdgvzjmqc", "ptkfsCnkk")
_STOPS = "tkp"
_BEGIN_ALIKE = ("ck", "bp", "td", "gj", "sz", "fv", "aeiou")
_LETTERS = re.compile(r"(?<![\w'])(?:[A-Za-z][. ]+){1,4}[A-Za-z](?![\w'])\.?")


class SoundAlikes:
    """The words of a flow by their sound."""

    def __init__(self, sentences: Iterable[str]) -> None:
        self._count = Counter(token.text for text in sentences for token in tokens(text) if _plain(token.text))
        self._by_sound: dict[str, list[str]] = defaultdict(list)
        for word, count in sorted(self._count.items()):
            if count >= _USUAL and len(word) >= _SHORTEST:
                self._by_sound[skeleton(word)].append(word)

    def readings(self, text: str) -> tuple[str, ...]:
        """The text with its strange words, one at a time and all together, as known words; none where no word is strange."""
        whole = _LETTERS.sub(lambda letters: re.sub(r"[. ]", "", letters.group()), text)
        found = [(token, known) for token in tokens(whole) if (known := self.known_as(token.text))]
        apart = [_replaced(whole, [one]) for one in found]
        together = [_replaced(whole, found)] if len(found) > 1 else []
        return tuple(reading for reading in dict.fromkeys((whole, *apart, *together)) if reading != text)

    def known_as(self, word: str) -> str | None:
        """The flow's word that a strange one sounds like, the nearest and most usual; ``None`` where there is none."""
        if not _plain(word) or len(word) < _SHORTEST:
            return None
        alike = [(distance + _apart(word, known), -self._count[known], known) for distance, known in self._alike(word)]
        return min(alike)[2] if alike else None

    def _alike(self, word: str) -> Iterator[tuple[int, str]]:
        most = 1 if len(word) < _LONG else 2
        for distance, sound in _sounds(skeleton(word)):
            for known in self._by_sound.get(sound, ()):
                usual = self._count[known] >= _MORE_USUAL * self._count[word] + _USUAL
                if known != word and usual and _begin_alike(word, known) and _apart(word, known) <= most:
                    yield distance, known


def skeleton(word: str) -> str:
    """The consonants that are heard, ``A`` for a vowel at the beginning."""
    for spelled, sound in _SPELLED:
        word = word.replace(spelled, sound)
    heard = re.sub("[aeiouyhw]", "", word.translate(_VOICELESS))
    return ("A" if word[:1] in "aeiouy" else "") + re.sub(r"(.)\1+", r"\1", heard)


def _sounds(sound: str) -> Iterator[tuple[int, str]]:
    """The sound itself, and with a stop added at its end or before its last consonant."""
    yield 0, sound
    for place in {len(sound), max(1, len(sound) - 1)}:
        yield from ((1, sound[:place] + stop + sound[place:]) for stop in _STOPS)


def _begin_alike(one: str, other: str) -> bool:
    return one[0] == other[0] or any(one[0] in alike and other[0] in alike for alike in _BEGIN_ALIKE)


def _apart(one: str, other: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        before, row[0] = row[0], at
        for place, another in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (letter != another))
    return row[-1]


def _plain(word: str) -> bool:
    return word.isascii() and word.isalpha()


def _replaced(text: str, words: Sequence[tuple[Token, str]]) -> str:
    for token, known in reversed(words):
        text = text[: token.start] + known + text[token.end :]
    return text
