"""The last step before anything of a recording is stored: what was said and the sound, both without secrets.

What is a secret: numbers as :mod:`engine.privacy` finds them, with a margin on both sides; and keys of the pad and traces of
them, heard on any channel. Over both lies one mask of whole steps (:mod:`engine.privacy.masked_time`), in the sound a steady tone
on all channels (:mod:`engine.audio.masks`).

Nothing is logged, no file is written, and no message holds what was said.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.audio.keytones import KeyToneDetector
from engine.audio.keytraces import key_traces
from engine.audio.masks import masked
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import TELEPHONY, AudioFrame, frames_of
from engine.core.call import Speaker
from engine.core.units import Seconds
from engine.privacy import MASK, Kind, Turn, mask_call, time_spans
from engine.privacy.doubt import doubtful
from engine.privacy.masked_time import KEYS, MaskedTime, Stretch, masked_times, told_outside
from engine.qa.spans import Span as CallSpan
from engine.qa.timeline import CallEvent, EventKind
from engine.runtime.transcribe import SpokenTurn

_BESIDE_KEY: Final = Seconds(0.06)  # a tone's rise and fall, and its beginning before it was sure
_BESIDE_WORDS: Final = Seconds(
    0.75
)  # word times are off by 0.25; and the first or last digit may have been heard as another word
_AT_ONCE: Final = Seconds(1.0)  # of sound given to the detector, so that its tables stay small


@dataclass(frozen=True, slots=True)
class MaskedCall:
    """A recorded call that may be stored."""

    recording: Recording
    """As long as the one that was given, at its rate."""

    turns: tuple[SpokenTurn, ...]
    """By their start; without those that lay wholly inside a mask."""

    masks: tuple[MaskedTime, ...]

    events: tuple[CallEvent, ...]
    """By their start: those that were given, as far as they lie outside the masks, and one of the kind ``keys`` for each mask
    with keys in it and each speaker who pressed some."""

    def as_json(self) -> list[dict[str, Any]]:
        """Give the masks for a transcript's ``masked``."""
        return masks_as_json(self.masks)


def mask(
    recording: Recording,
    turns: Sequence[SpokenTurn],
    speakers: Sequence[Speaker | None],
    events: Sequence[CallEvent] = (),
    unheard: Sequence[SpokenTurn] = (),
) -> MaskedCall:
    """Mask a call.

    ``speakers``: who speaks on each channel, ``None`` or missing where that is not known. ``unheard``: voice without words, of no
    confidence; it is masked where a secret was asked for, and told only then.
    """
    whose = (*speakers, *[None] * len(recording.channels))
    keyed = [(who, span) for who, channel in zip(whose, recording.channels, strict=False) for span in key_spans(channel)]
    voices = sorted([*turns, *unheard], key=lambda turn: turn.start)
    everything, masks = mask_turns(voices, [span for _, span in keyed], recording.duration)
    nothing = {word.text for turn in unheard for word in turn.transcript.words}
    told = tuple(turn for turn in everything if not turn.transcript or not {it.text for it in turn.transcript.words} <= nothing)
    sound = masked(recording, [(it.start, it.end) for it in masks])
    outside = filter(None, (_outside(event, masks) for event in events))
    happened = sorted([*outside, *_key_events(masks, keyed)], key=lambda event: (event.span.start, event.span.end))
    return MaskedCall(sound, told, masks, tuple(happened))


def mask_turns(
    turns: Sequence[SpokenTurn], keys: Sequence[MaskedTime], duration: Seconds
) -> tuple[tuple[SpokenTurn, ...], tuple[MaskedTime, ...]]:
    """Mask the words of a call, and say when its sound is to be masked; ``keys``: when keys were heard,
    or what else is to be masked.

    Words that go with a mask bring what stood on both sides of it together, so it is looked at again until nothing changes.
    """
    told: Sequence[SpokenTurn] = turns
    masks = masked_times(keys, duration)
    while True:
        given = [Turn(turn.speaker or "unknown", turn.transcript) for turn in told]
        words = mask_call(given)
        spoken = [MaskedTime(it.start, it.end, (it.kind.value,)) for it in time_spans(given, words.spans, _BESIDE_WORDS)]
        whole = doubtful(given, words.spans)
        doubted = [MaskedTime(told[place].start, told[place].end, (Kind.UNKNOWN.value,)) for place in whole]
        masks = masked_times([*masks, *spoken, *doubted], duration)
        if not masks:
            return tuple(turns), ()
        without = [replace(turn, transcript=masked.said) for turn, masked in zip(told, words.turns, strict=True)]
        own = _owners(without, whole, masks)
        now = [_told(turn, masks, own[place]) for place, turn in enumerate(without)]
        before, told = told, [turn for turn in now if turn is not None]
        if told == before:
            return tuple(told), masks


def masks_as_json(masks: Sequence[MaskedTime]) -> list[dict[str, Any]]:
    """Tell when masks lie, and the names of what is under them."""
    return [{"start": round(it.start, 3), "end": round(it.end, 3), "kinds": list(it.kinds)} for it in masks]


def key_spans(channel: AudioFrame) -> tuple[MaskedTime, ...]:
    """Hear when keys were pressed on one channel, on its own timeline, with margins."""
    line = resample(channel, TELEPHONY)
    detector = KeyToneDetector()
    tones = [tone for frame in frames_of(line, _AT_ONCE) for tone in detector.feed(frame)]
    keys = [(tone.start, tone.start + tone.duration) for tone in (*tones, *detector.finish())]
    return tuple(_around(*span, channel.duration) for span in sorted([*keys, *key_traces(line)]))


def _around(start: float, end: float, duration: Seconds) -> MaskedTime:
    return MaskedTime(Seconds(max(0.0, start - _BESIDE_KEY)), Seconds(min(end + _BESIDE_KEY, duration)), (KEYS,))


def _told(turn: SpokenTurn, masks: Sequence[MaskedTime], own: Sequence[MaskedTime]) -> SpokenTurn | None:
    told = told_outside(Stretch(turn.start, turn.end, turn.transcript), masks, own)
    return None if told is None else replace(turn, start=told.start, end=told.end, transcript=told.said)


def _owners(turns: Sequence[SpokenTurn], whole: Container[int], masks: Sequence[MaskedTime]) -> Sequence[Sequence[MaskedTime]]:
    """Tell for each turn which masks begin in it: those of which it has the first masked word."""
    own: list[list[MaskedTime]] = [[] for _ in turns]
    firsts = sorted((start, place) for place, turn in enumerate(turns) for start in _secret_starts(turn, whole=place in whole))
    for it in masks:
        place = next((place for start, place in firsts if it.start <= start <= it.end), None)
        if place is not None:
            own[place].append(it)
    return own


def _secret_starts(turn: SpokenTurn, *, whole: bool) -> Iterator[Seconds]:
    """Give when secrets begin in a turn; a mask without length only says that words before or after it are gone."""
    if whole:
        yield turn.start
    yield from (word.start for word in turn.transcript.words if MASK in word.text and word.end > word.start)


def _key_events(masks: Sequence[MaskedTime], keyed: Sequence[tuple[Speaker | None, MaskedTime]]) -> Iterator[CallEvent]:
    for it in masks:
        pressing = dict.fromkeys(who for who, span in keyed if it.start <= span.start < it.end)
        yield from (CallEvent(EventKind.KEYS, CallSpan(it.start, it.end, who)) for who in pressing)


def _outside(event: CallEvent, masks: Sequence[MaskedTime]) -> CallEvent | None:
    """Cut off what of an event lies in a mask: its edge there would tell when something was said."""
    start, end = event.span.start, event.span.end
    start = next((it.end for it in masks if it.start <= start < it.end), start)
    end = next((it.start for it in masks if it.start < end <= it.end), end)
    return replace(event, span=event.span._replace(start=start, end=end)) if start <= end else None
