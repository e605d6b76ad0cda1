"""How many digits number words are, read as one cardinal after the other; where there are two readings, the longer one."""

from __future__ import annotations

from collections.abc import Iterable

from engine.privacy.lexicon import NumberWord, Role


def digit_counts(words: Iterable[NumberWord]) -> list[int]:
    """Count the digits of each cardinal: "forty two eighteen" is [2, 2], "one thousand two hundred" [4]."""
    counter = _Counter()
    for word in words:
        counter.take(word)
    return counter.counts


class _Counter:
    """Puts words together to cardinals as they come."""

    def __init__(self) -> None:
        self.counts: list[int] = []
        self._room = 0  # a word worth less than this may still join; 1 = only a multiplier may
        self._scale = 1  # the last multiplier of this cardinal
        self._times = 1  # what "double" does to the next word
        self._multiplied = False  # whether the last word was a multiplier
        self._said = 1  # the last word's worth: "three" before "sevens"

    def take(self, word: NumberWord) -> None:
        """Add one word."""
        if word.role is Role.TIMES:
            self._times = word.value
            return
        if word.role is Role.MULTIPLIER and self._room:
            self._multiply(word.value)
        elif word.role is Role.COUNTED and self.counts:
            self.counts[-1] += max(self._said - 1, 0)
            self._room = 0
        elif word.role is Role.VALUE and word.value == 0 and self._multiplied:
            return  # the 零 of 一千零六
        elif not (word.role is Role.VALUE and 0 < word.value < self._room):
            self._begin(word)
        else:
            self._room = _room(word.value)
        self._multiplied = word.role is Role.MULTIPLIER
        self._times, self._said = 1, min(word.value, 9)

    def _begin(self, word: NumberWord) -> None:
        digits = word.value if word.role is Role.NUMERAL else len(str(word.value))
        self.counts.append(digits * self._times)
        multiplier = word.role is Role.MULTIPLIER
        self._scale = word.value if multiplier else 1
        self._room = word.value if multiplier else _room(word.value) if word.role is Role.VALUE and self._times == 1 else 0

    def _multiply(self, value: int) -> None:
        if value > self._scale:
            self.counts[-1] += len(str(value)) - 1
            self._scale = value
        self._room = value


def _room(value: int) -> int:
    if value >= 100:
        return 100
    return 10 if value >= 20 and value % 10 == 0 else 1 if value else 0
