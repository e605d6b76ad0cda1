"""Calls as they go now, for pages that look on: where each one is, its last words, and how the house bears them.

Rules:

* a step costs the media loop an append: nothing is worded, masked or written before somebody looks;
* nothing is pushed: a page asks for what has changed since it last asked, and a slow one asks later and misses what was in
  between. So no page can hold up a call, and nothing queues;
* a glance words so many calls at most, the longest unseen first; what it worded serves all pages;
* words go out masked, over the turns that are shown: a number may be said in two of them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from engine.core.call import CallFacts, CallId
from engine.core.speech import Transcript, Word
from engine.core.units import Confidence, Seconds
from engine.dialogue.actions import Action, Decided, Entered, Play, TransferCall
from engine.dialogue.events import Event, Heard, HeardNothing, KeyPressed, KeysCollected, SecretCollected
from engine.privacy import Turn, mask_call
from engine.runtime.lags import Lags
from engine.tts.wording import fill

SHOWN: Final = 6  # things that happened, of each call
AT_ONCE: Final = 3  # calls that one glance words: masking six turns takes over a millisecond of the media loop
_REPLIES: Final = 500  # the last ones, whose quantiles are told
_TOLD = (Heard, HeardNothing, KeyPressed, KeysCollected, SecretCollected, Play, Decided, TransferCall)


@dataclass(frozen=True, slots=True)
class Happened:
    """One thing that happened in a call, ready to be shown."""

    at: Seconds
    """On the call's timeline."""

    what: str
    """``caller``, ``noise``, ``keys``, ``engine``, ``transfer``, or ``decided``."""

    text: str
    """Masked words; of keys how many; of a decision where it leads."""

    sure: Confidence | None = None

    rung: str | None = None
    """Of a decision."""


@dataclass(frozen=True, slots=True)
class LiveCall:
    """One call as it stands."""

    call: CallFacts
    flow: str | None
    node: str | None
    lasted: Seconds
    happened: Sequence[Happened]
    """The last of it."""


@dataclass(frozen=True, slots=True)
class Bearing:
    """How the house bears its calls."""

    live: int
    most: int
    ended: int
    """Since the engine began, as all counts here."""
    refused: int
    replies: int
    """Of how many the quantiles are."""
    reply_p50: Seconds | None
    """From the end of the caller's voice to the first sample of the reply; ``None`` before the first."""
    reply_p95: Seconds | None
    lag_p99: Seconds
    """How late the media loop came to its work."""


@dataclass(frozen=True, slots=True)
class Glance:
    """What somebody sees who looks."""

    version: int
    """To ask with the next time."""
    more: bool
    """There are changes that this one had no room for."""
    live: Sequence[CallId]
    changed: Sequence[LiveCall]
    bearing: Bearing


@dataclass(slots=True)
class _Record:
    call: CallFacts
    began: float
    version: int
    node: str | None = None
    happened: deque[tuple[Seconds, Event | Action]] = field(default_factory=lambda: deque(maxlen=SHOWN))
    worded: tuple[int, Sequence[Happened]] = (-1, ())


class LiveCalls:
    """A watch that remembers a little of every call in progress."""

    def __init__(self, most: int, lags: Lags, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._lags, self._clock = most, lags, clock
        self._records: dict[CallId, _Record] = {}
        self._replies: deque[Seconds] = deque(maxlen=_REPLIES)
        self._version = 0
        self._ended = 0
        self._refused = 0

    def began(self, call: CallFacts) -> None:
        """Remember it."""
        self._version += 1
        self._records[call.id] = _Record(call, self._clock(), self._version)

    def stepped(self, call: CallFacts, now: Seconds, event: Event | None, actions: tuple[Action, ...]) -> None:
        """Remember what is shown of the step."""
        record = self._records.get(call.id)
        if record is None:
            return
        for one in (event, *actions):
            if isinstance(one, Entered):
                record.node = one.node
            elif isinstance(one, _TOLD):
                record.happened.append((now, one))
        self._version += 1
        record.version = self._version

    def replied(self, call: CallFacts, after: Seconds) -> None:  # noqa: ARG002
        """Take the time."""
        self._replies.append(after)

    def ended(self, call: CallFacts, outcome: str) -> None:  # noqa: ARG002
        """Forget it."""
        self._ended += 1
        self._records.pop(call.id, None)

    def refused(self) -> None:
        """A call was turned away."""
        self._refused += 1

    def glance(self, since: int = 0) -> Glance:
        """What has changed after an earlier glance, whose version ``since`` is."""
        unseen = sorted((it for it in self._records.values() if it.version > since), key=lambda it: it.version)
        seen = unseen[:AT_ONCE]
        version = seen[-1].version if len(unseen) > len(seen) else self._version
        return Glance(
            version, len(unseen) > len(seen), tuple(self._records), tuple(self._shown(it) for it in seen), self._bearing()
        )

    def _shown(self, record: _Record) -> LiveCall:
        if record.worded[0] != record.version:
            record.worded = (record.version, _masked([_worded(at, one) for at, one in record.happened]))
        call, lasted = record.call, Seconds(self._clock() - record.began)
        return LiveCall(call, call.flow, record.node, lasted, record.worded[1])

    def _bearing(self) -> Bearing:
        replies = sorted(self._replies)
        return Bearing(
            live=len(self._records),
            most=self._most,
            ended=self._ended,
            refused=self._refused,
            replies=len(replies),
            reply_p50=_quantile(replies, 0.5),
            reply_p95=_quantile(replies, 0.95),
            lag_p99=self._lags.quantile(0.99),
        )


def _quantile(ordered: Sequence[Seconds], share: float) -> Seconds | None:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None


def _worded(at: Seconds, one: Event | Action) -> Happened:
    match one:
        case Heard(transcript=heard):
            return Happened(at, "caller", heard.text, heard.confidence)
        case Play(spoken=spoken, language=language):
            return Happened(at, "engine", " ".join(fill(it.text, it.values, language) for it in spoken))
        case TransferCall():
            return Happened(at, "transfer", "")
        case Decided(rung=rung, target=target, confidence=confidence):
            return Happened(at, "decided", target or "", confidence, rung.value)
        case _:
            keys = _keys(one)
            return Happened(at, "keys" if keys else "noise", str(keys or ""))


def _keys(one: Event | Action) -> int:
    match one:
        case KeyPressed():
            return 1
        case KeysCollected(value):
            return len(value)
        case SecretCollected(count):
            return count
        case _:
            return 0


_SPEECH: Final = frozenset({"caller", "engine"})


def _masked(happened: Sequence[Happened]) -> Sequence[Happened]:
    masked = iter(_masked_words([it for it in happened if it.what in _SPEECH]))
    return tuple(replace(it, text=next(masked)) if it.what in _SPEECH else it for it in happened)


def _masked_words(spoken: Sequence[Happened]) -> Iterator[str]:
    turns = [Turn(it.what, _said(place, it.text)) for place, it in enumerate(spoken)]
    return (turn.said.text for turn in mask_call(turns).turns)


def _said(place: int, text: str) -> Transcript:
    """A turn's text; only the order of turns matters here, so its time is its place."""
    return Transcript((Word(text, Seconds(float(place)), Seconds(place + 1.0)),) if text else ())
