"""Chinese number characters: quantities (三千五百, in short 三千五) and digits one by one (二零二六)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cn2an

from engine.nlu.number_words import NumberWords
from engine.nlu.wording import Token


def read(spoken: Sequence[Token], words: NumberWords) -> tuple[int, int] | None:
    """Read the number that the characters begin with; its value and how many characters it takes."""
    taken = "".join(_together(spoken, words))
    if not taken or (taken in words.scales and taken != "十"):
        return None
    if not any(character in words.scales for character in taken):
        return int("".join(str(words.small[character]) for character in taken)), len(taken)
    try:
        return int(cn2an.cn2an(taken, "smart")), len(taken)
    except (ValueError, KeyError):  # no quantity (cn2an raises either), so digit by digit
        return (words.small[taken[0]], 1) if taken[0] in words.small else None


def _together(spoken: Sequence[Token], words: NumberWords) -> Iterator[str]:
    """Number characters without a gap."""
    for place, token in enumerate(spoken):
        if token.text not in words.small and token.text not in words.scales:
            return
        if place and token.start != spoken[place - 1].end:
            return
        yield token.text
