"""How much of what was said in a window was heard well enough: what was not heard there is no proof of anything."""

from __future__ import annotations

from bisect import bisect_left

from engine.core.call import Speaker
from engine.core.units import Confidence
from engine.qa.spans import Spans
from engine.qa.terms import Listener


def coverage(windows: Spans, by: Speaker | None, listener: Listener) -> Confidence | None:
    """The share of words, by their time, that can be relied on; ``None`` where nobody spoke of those it is wanted of."""
    said = relied_on = 0.0
    relies_on = listener.doubt.relies_on
    for speaker in (by, None) if by else (*Speaker, None):
        words = listener.call.words_of(speaker)
        for window in windows:
            first = bisect_left(words, window.start, key=lambda word: word.start)
            for word in words[first : bisect_left(words, window.end, key=lambda word: word.start)]:
                length = word.end - word.start
                said += length
                relied_on += length if relies_on(word.confidence) else 0.0
    return Confidence(relied_on / said) if said else None
