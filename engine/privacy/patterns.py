"""Tables of phrases as one regular expression, over words with one space between them and none between Han characters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from engine.privacy.cues import CLOSERS, CUES
from engine.privacy.excuses import PLACES, RANGES, SIGNS, UNITS, YEARS
from engine.privacy.glue import GLUE

HAN = "\u4e00-\u9fff\u3007"
_BEGINS = rf"(?<![^\s{HAN}])"  # what stands before is a space or a Han character, or nothing
_ENDS = rf"(?=$|[\s{HAN}])"


def _whole_words(phrases: Iterable[str]) -> str:
    """Match one of the phrases; a Han character ends a word of another script, and is one itself."""
    either = "|".join(phrases)
    return rf"(?:{_BEGINS}|(?<=[^{HAN}])(?=[{HAN}]))(?:{either})(?:{_ENDS}|(?<=[{HAN}]))"


@cache
def cue_pattern() -> re.Pattern[str]:
    """Announcements of secrets; the group's name is the kind's. Longer phrases of an earlier kind win."""
    return re.compile("|".join(rf"(?P<{kind.name}>{_whole_words(phrases)})" for kind, phrases in CUES.items()))


@cache
def closer_pattern() -> re.Pattern[str]:
    """What ends the window of a cue."""
    return re.compile(_whole_words(CLOSERS))


@cache
def glue_pattern() -> re.Pattern[str]:
    """What parts no number."""
    return re.compile(_whole_words(GLUE))


@cache
def unit_pattern() -> re.Pattern[str]:
    """What stands behind a number that is no secret."""
    return re.compile(rf" ?{_whole_words(UNITS)}")


@cache
def sign_pattern() -> re.Pattern[str]:
    """What stands before a number that is no secret."""
    return re.compile(rf"{_whole_words(SIGNS)} ?")


@cache
def place_pattern() -> re.Pattern[str]:
    """What stands before a number that is hardly a secret."""
    return re.compile(rf"{_BEGINS}(?:{'|'.join(PLACES)}) ?")


@cache
def year_pattern() -> re.Pattern[str]:
    """What may be a year."""
    return re.compile("|".join(YEARS))


@cache
def range_pattern() -> re.Pattern[str]:
    """What stands between the two ends of a range."""
    return re.compile(rf" ?(?:{'|'.join(RANGES)}) ?")
