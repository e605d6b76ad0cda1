"""Recordings to turns, in bulk: all that a worker does between a decoded recording and its masking.

Rules:

* the voice is found first; nothing else is ever recognised, and a channel that is silent costs next to nothing;
* utterances of both channels are recognised together, in batches: who speaks does not matter to a model;
* ``fast`` hears everything once; ``accurate`` with the large model alone; ``both`` gives the large model what the small one is
  least sure of, up to a share of the speech, so that the cost of an hour is known beforehand;
* a long recording is worked off in parts of a few minutes of speech: never more than that of it is held in another form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from engine.asr.calibration import shipped_agreement
from engine.asr.protocol import Hints, Recogniser
from engine.asr.registry import load_recogniser
from engine.asr.stretches import Cutting, Stretch
from engine.asr.two_pass import Agreement, TwoPassPolicy, choose
from engine.asr.voice_map import VoiceMap
from engine.audio.recording import Recording
from engine.audio.resample import resample
from engine.core.audio import WIDEBAND, AudioFrame
from engine.core.call import Speaker
from engine.core.speech import ENGLISH, Transcript
from engine.core.units import Language, SampleIndex, Seconds
from engine.runtime.batch.heard import HeardRecording
from engine.runtime.batch.work import Tier
from engine.runtime.transcribe import SpokenTurn

_PART = Seconds(240.0)  # of speech, recognised together
_PAD = Seconds(0.12)  # kept on either side of a voice: quiet consonants
_NOBODY = "nobody speaks"


@dataclass(frozen=True, slots=True)
class Named:
    """A recogniser of the registry, with its own settings."""

    name: str
    settings: Mapping[str, object] = field(default_factory=dict)

    def load(self) -> Recogniser:
        """Load it."""
        return load_recogniser(self.name, **self.settings)


@dataclass(frozen=True, slots=True)
class HearingSettings:
    """Who hears, and how much of it twice. Picklable."""

    first: Named = Named("moonshine", {"bulk": True})
    """Over everything, where it knows the language."""

    second: Named = Named("whisper", {"context": "packed"})
    """Where the first is unsure, and for other languages in tier ``fast``."""

    careful: Named = Named("whisper", {"context": "packed_full"})
    """For tier ``accurate``, and for other languages in tier ``both``."""

    second_share: float = 0.6
    """Of the seconds of speech, at most, that tier ``both`` hears twice."""

    policy: TwoPassPolicy = TwoPassPolicy()

    cutting: Cutting = Cutting()


@dataclass(frozen=True, slots=True, eq=False)
class Utterance:
    """A stretch of one channel."""

    speaker: Speaker | None
    channel: AudioFrame
    stretch: Stretch

    @property
    def start(self) -> Seconds:
        """Where its sound begins."""
        return Seconds(max(0.0, self.stretch.start - _PAD))

    def sound(self) -> AudioFrame:
        """At 16 kHz, with a little of what lies around it."""
        format = self.channel.format
        first, last = format.samples(self.start), format.samples(Seconds(self.stretch.end + _PAD))
        return resample(AudioFrame(self.channel.samples[first:last], format, SampleIndex(0)), WIDEBAND)


class BatchTranscriber:
    """The loaded models of one worker."""

    def __init__(self, settings: HearingSettings = HearingSettings()) -> None:
        """Load nothing yet: each model is loaded when it is first wanted."""
        self._settings = settings
        self._voice = VoiceMap()

    def transcribe(
        self,
        recording: Recording,
        language: Language | None = ENGLISH,
        tier: Tier = Tier.BOTH,
        left: Speaker = Speaker.CALLER,
    ) -> HeardRecording:
        """Hear one recording. ``left``: who speaks on the first of two channels; of a single channel nobody knows.

        Raises:
            ModelError: a model is not there, or failed.
        """
        spoken = language or ENGLISH
        utterances = sorted(self._utterances(recording, left), key=lambda it: it.stretch.start)
        turns = [turn for part in _parts(utterances) for turn in self._turns(part, spoken, tier)]
        nothing = None if turns else _NOBODY
        return HeardRecording(spoken, tuple(turns), (), recording.duration, self.revision(tier), nothing)

    def revision(self, tier: Tier) -> str:
        """What would hear a recording, as one short name."""
        return f"{self._settings.first.name}+{self._settings.second.name}/{tier}"

    def _utterances(self, recording: Recording, left: Speaker) -> Iterator[Utterance]:
        for speaker, channel in by_speaker(recording, left):
            for stretch in self._voice.stretches(channel, self._settings.cutting):
                yield Utterance(speaker, channel, stretch)

    def _turns(self, part: Sequence[Utterance], language: Language, tier: Tier) -> Iterator[SpokenTurn]:
        for utterance, said in zip(part, self._words(part, Hints(language), tier), strict=True):
            if said:
                stretch = utterance.stretch
                yield SpokenTurn(utterance.speaker, stretch.start, stretch.end, said.later(utterance.start))

    def _words(self, part: Sequence[Utterance], hints: Hints, tier: Tier) -> list[Transcript]:
        sounds = [utterance.sound() for utterance in part]
        if tier is Tier.ACCURATE:
            return self._careful.recognise(sounds, [hints] * len(sounds))
        if hints.language not in self._first.capabilities.languages:
            ear = self._second if tier is Tier.FAST else self._careful
            return ear.recognise(sounds, [hints] * len(sounds))
        heard = self._first.recognise(sounds, [hints] * len(sounds))
        return heard if tier is Tier.FAST else self._heard_again(heard, sounds, hints)

    def _heard_again(self, heard: list[Transcript], sounds: Sequence[AudioFrame], hints: Hints) -> list[Transcript]:
        unsure = least_sure(heard, [sound.duration for sound in sounds], self._settings)
        again = self._second.recognise([sounds[place] for place in unsure], [hints] * len(unsure)) if unsure else []
        seconds = dict(zip(unsure, again, strict=True))
        return [
            choose(first, seconds[place], sounds[place].duration, self._settings.policy, self._agreement)
            if place in seconds
            else first
            for place, first in enumerate(heard)
        ]

    @cached_property
    def _agreement(self) -> Agreement | None:
        return shipped_agreement()

    @cached_property
    def _first(self) -> Recogniser:
        return self._settings.first.load()

    @cached_property
    def _second(self) -> Recogniser:
        return self._settings.second.load()

    @cached_property
    def _careful(self) -> Recogniser:
        return self._settings.careful.load()


def by_speaker(recording: Recording, left: Speaker) -> list[tuple[Speaker | None, AudioFrame]]:
    """The channels with who speaks on them; only the first two of more."""
    if len(recording.channels) == 1:
        return [(None, recording.channels[0])]
    right = Speaker.AGENT if left is Speaker.CALLER else Speaker.CALLER
    return [(left, recording.channels[0]), (right, recording.channels[1])]


def least_sure(heard: Sequence[Transcript], lengths: Sequence[Seconds], settings: HearingSettings) -> list[int]:
    """The places of what is to be heard twice, in order: the least sure first, until the share of the speech is used up."""
    doubtful = [place for place, said in enumerate(heard) if said.confidence is None or said.confidence < settings.policy.sure]
    doubtful.sort(key=lambda place: -1.0 if (sure := heard[place].confidence) is None else sure)
    left = settings.second_share * sum(lengths)
    chosen = []
    for place in doubtful:
        if lengths[place] <= left:
            chosen.append(place)
            left -= lengths[place]
    return sorted(chosen)


def _parts(utterances: Sequence[Utterance]) -> Iterator[Sequence[Utterance]]:
    """Utterances by the few minutes of speech."""
    begin, length = 0, 0.0
    for place, utterance in enumerate(utterances):
        if length and length + utterance.stretch.duration > _PART:
            yield utterances[begin:place]
            begin, length = place, 0.0
        length += utterance.stretch.duration
    if begin < len(utterances):
        yield utterances[begin:]
