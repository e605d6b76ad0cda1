"""What was said turn by turn, as texts whose every character belongs to a word: for terms that read text, not single words.

Of each turn there are two texts: ``plain`` (its words: lower case, no punctuation, one space between words, none between
Chinese characters; a recogniser's commas must not change a verdict) and ``written`` (as the transcript has it, for what only
signs tell: ``$5``).
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from engine.core.call import Speaker
from engine.core.units import Confidence
from engine.nlu.wording import tokens
from engine.qa.spans import Span
from engine.qa.timeline import UNHEARD, HeardWord, Stretch, Timeline

NOT_UNDERSTOOD = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands in ``plain`` for a word that was said and not understood."""

_FIRST_HAN = "\u3007"
_MARK = re.compile(r"\[[^\]]*\]")


@dataclass(frozen=True, slots=True)
class Text:
    """A text and the words it is made of."""

    text: str

    words: Sequence[HeardWord]

    starts: Sequence[int]
    """Where each word begins in the text, in characters; never falls."""

    ends: Sequence[int]

    def covered(self, start: int, end: int) -> Sequence[HeardWord]:
        """The words of which a part lies between two places."""
        return self.words[bisect_right(self.ends, start) : bisect_left(self.starts, end)]


@dataclass(frozen=True)
class Passage:
    """One turn."""

    stretches: Sequence[Stretch]

    @property
    def speaker(self) -> Speaker | None:
        return self.stretches[0].span.speaker

    @cached_property
    def words(self) -> Sequence[HeardWord]:
        return [word for stretch in self.stretches for word in stretch.words]

    @cached_property
    def plain(self) -> Text:
        return _plain(self.words)

    @cached_property
    def written(self) -> Text:
        return _written(self.stretches) or self.plain


def passages(call: Timeline) -> Sequence[Passage]:
    """The call's turns, however a recogniser cut them (as :attr:`Timeline.turns`)."""
    turns: list[list[Stretch]] = []
    for stretch in call.stretches:
        if turns and turns[-1][-1].span.speaker == stretch.span.speaker:
            turns[-1].append(stretch)
        else:
            turns.append([stretch])
    return [Passage(it) for it in turns]


def span_of(words: Sequence[HeardWord]) -> Span:
    """The span of words that were found; at least one."""
    known = [word.confidence for word in words if word.confidence is not None]
    sure = Confidence(sum(known) / len(known)) if len(known) == len(words) else None
    return Span(words[0].start, max(word.end for word in words), words[0].speaker, sure)


def _plain(words: Sequence[HeardWord]) -> Text:
    texts = [NOT_UNDERSTOOD if word.text == UNHEARD else word.text for word in words]
    pieces, starts, at = texts[:1], [0], len(texts[0])
    for one, other in pairwise(texts):
        gap = "" if _is_han(one) and _is_han(other) else " "
        pieces.append(gap + other)
        starts.append(at + len(gap))
        at += len(gap) + len(other)
    return Text("".join(pieces), words, starts, [start + len(text) for start, text in zip(starts, texts, strict=True)])


def _is_han(text: str) -> bool:
    return len(text) == 1 and text >= _FIRST_HAN


def _written(turn: Sequence[Stretch]) -> Text | None:
    """The stretches' own texts; ``None`` where one's words are not those of its text, so that nobody knows where they lie."""
    words: list[HeardWord] = []
    starts: list[int] = []
    ends: list[int] = []
    text = ""
    for stretch in turn:
        own = _MARK.sub(lambda mark: " " * len(mark.group()), stretch.text)
        heard = [word for word in stretch.words if word.text != UNHEARD]
        cut = [it for it in tokens(own) if it.text != UNHEARD]
        if [it.text for it in cut] != [word.text for word in heard]:
            return None
        text += " " if text else ""
        words += heard
        starts += [len(text) + it.start for it in cut]
        ends += [len(text) + it.end for it in cut]
        text += own
    return Text(text, words, starts, ends)
